import { failure } from "../../core/errors.ts";
import { BACKEND, type Backend } from "../../core/interfaces/backend.ts";
import { classesOf, DATASET, type Dataset } from "../../core/interfaces/dataset.ts";
import { METRICS, type Metric, type SampleSet } from "../../core/interfaces/metric.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { classAccuracy } from "./shared/classAccuracy.ts";
import { type FeatureStatistics, featureStatistics, frechetDistance } from "./shared/frechet.ts";
import { FEATURES, ImageClassifier } from "./shared/imageClassifier.ts";

/**
 * Class accuracy and Fréchet distance in the 64 features of a small classifier, which is trained on the training set when
 * the metric is first used (always the same way, from the same seed).
 *
 * - accuracy: share of images that it gives the class they were asked for; `worst class` is the least of the classes
 * - frechet: Gaussian Fréchet distance of its features, samples against the whole test set, images clamped to [-1, 1].
 *   Biased upwards for few samples; not comparable with Inception FID, nor between classifiers.
 * - classifier: its own accuracy on the real test set
 */
export const classifierFrechet = definePlugin({
  name: "classifier-frechet",
  kind: "metric",
  token: METRICS,
  about:
    "class accuracy and Fréchet distance in the features of a classifier trained on the real images",
  options: {
    epochs: number({
      default: 3,
      above: 0,
      max: 100,
      about: "passes over the training set when the classifier is trained",
    }),
  },
  create({ epochs }, c): Metric {
    const dataset = c.get(DATASET);
    let ready: Promise<Judge> | undefined;
    return {
      name: "classifier-frechet",
      evaluate: async (samples) => {
        ready ??= Judge.train(c.get(BACKEND), dataset, epochs);
        return (await ready).evaluate(samples);
      },
    };
  },
});

class Judge {
  readonly #classifier: ImageClassifier;
  readonly #classes: number;
  readonly #reference: FeatureStatistics;
  readonly #accuracy: number;

  private constructor(
    classifier: ImageClassifier,
    classes: number,
    reference: FeatureStatistics,
    accuracy: number,
  ) {
    this.#classifier = classifier;
    this.#classes = classes;
    this.#reference = reference;
    this.#accuracy = accuracy;
  }

  static async train(backend: Backend, dataset: Dataset, epochs: number): Promise<Judge> {
    const classes = classesOf(dataset.shape);
    const test = dataset.test?.();
    if (!test || !classes)
      throw failure(
        "E_CONFIG",
        `Cannot judge ${dataset.name} with classifier-frechet: it has ${test ? "no classes" : "no test set"}, expected labelled images with a test set`,
      );
    const classifier = await ImageClassifier.train(backend, dataset, epochs);
    const { features, logits } = await classifier.look(test.x);
    const { accuracy } = classAccuracy(logits, test.condition.label, classes);
    return new Judge(classifier, classes, featureStatistics(features, FEATURES), accuracy);
  }

  async evaluate({ x, condition }: SampleSet): Promise<Record<string, number>> {
    const { features, logits } = await this.#classifier.look(x);
    const { accuracy, worst } = classAccuracy(logits, condition.label, this.#classes);
    const frechet = frechetDistance(featureStatistics(features, FEATURES), this.#reference);
    return { accuracy, "worst class": worst, frechet, classifier: this.#accuracy };
  }
}
