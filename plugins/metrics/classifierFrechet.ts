import { failure } from "../../core/errors.ts";
import {
  BACKEND,
  type Backend,
  classesOf,
  DATASET,
  type Dataset,
  type Extractor,
  extractorNamed,
  type Metric,
  paceOf,
} from "../../core/interfaces/mod.ts";
import { FrozenNetwork, type RowStream } from "../../core/nn/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { joined } from "../../core/tensor/mod.ts";
import { classAccuracy } from "./shared/classAccuracy.ts";
import { type FeatureStatistics, featureStatistics } from "./shared/frechet.ts";
import { frechetNumbers } from "./shared/frechetNumbers.ts";
import { beside, bootstrapInterval, partsOption } from "./shared/intervals.ts";

/** Images that the classifier looks at together. */
const BATCH = 500;

/**
 * Class accuracy and Fréchet distance in the 64 features of the extractor `classifier`, which is trained on the training set
 * when the metric is first used (always the same way, from the same seed).
 *
 * - accuracy: share of images that it gives the class they were asked for; `worst class` is the least of the classes
 * - rarest class: how often it sees the class that it sees least, over how often that was asked for: 0 where one never comes
 * - frechet: Gaussian Fréchet distance of its features, samples against the whole test set, images clamped to [-1, 1].
 *   Biased upwards for few samples; not comparable with Inception FID, nor between classifiers.
 * - classifier: its own accuracy on the real test set
 */
export const classifierFrechet = definePlugin({
  name: "classifier-frechet",
  kind: "metric",
  about: "class accuracy and Fréchet distance in the features of a classifier trained on the real images",
  options: {
    epochs: number({
      default: 3,
      above: 0,
      max: 100,
      about: "passes over the training set, unless the config has an extractor classifier",
    }),
    ...partsOption,
  },
  needs: ({ epochs }) => [{ kind: "extractor", use: "classifier", options: { epochs } }],
  create({ parts }, container): Metric {
    const dataset = container.get(DATASET);
    checkData(dataset);
    const extractor = extractorNamed(container, "classifier");
    let opened: Promise<Judge> | undefined;
    const judge = () => (opened ??= openJudge(container.get(BACKEND), dataset, extractor));
    return {
      name: "classifier-frechet",
      least: 2, // a covariance
      bytesPerSample: 4 * Object.values(extractor.widths).reduce((sum, width) => sum + width, 0),
      larger: ["accuracy", "worst class"],
      begin() {
        let stream: RowStream | undefined;
        const labels: Int32Array[] = [];
        return {
          async take({ x, condition }) {
            stream ??= (await judge()).network.stream();
            labels.push(condition.label as Int32Array);
            await stream.take({ x: clamped(x) });
          },
          async result() {
            const { reference, accuracy: classifier } = await judge();
            const { features, logits } = await stream!.end();
            const { accuracy, right, worst, rarest } = classAccuracy(logits, joined(labels), classesOf(dataset.shape));
            const seen = { data: features, D: extractor.widths.features };
            return {
              accuracy,
              [beside("accuracy")]: bootstrapInterval(right),
              "worst class": worst,
              "rarest class": rarest,
              ...(await frechetNumbers("frechet", seen, reference, { parts, pace: paceOf(container) })),
              classifier,
            };
          },
        };
      },
      async dispose() {
        // A judge that could not be opened holds nothing.
        const judge = await opened?.catch(() => undefined);
        judge?.network.dispose();
      },
    };
  },
});

/** @throws E_CONFIG for data that it can't judge, before anything is trained */
function checkData({ name, shape, test }: Dataset): void {
  const ways = [
    ...(test ? [] : ["hold some samples out, as --set dataset.holdOut=0.1 does of pictures"]),
    `leave the metric out with --set metrics.classifier-frechet=off`,
  ];
  const classes = classesOf(shape);
  if (test && classes > 1) return;
  const lacks = [
    ...(classes > 1 ? [] : [classes === 1 ? "one class" : "no classes"]),
    ...(test ? [] : ["no test set"]),
  ];
  throw failure(
    "E_CONFIG",
    `Cannot judge ${name} with classifier-frechet: it has ${lacks.join(" and ")}, expected images of two classes or more with a test set`,
    { fix: ways.join("; or ") },
  );
}

/** The classifier on the device, and what it sees in the test set. */
interface Judge {
  readonly network: FrozenNetwork;
  readonly reference: FeatureStatistics;
  /** Its own, on the test set. */
  readonly accuracy: number;
}

async function openJudge(backend: Backend, dataset: Dataset, extractor: Extractor): Promise<Judge> {
  const test = await dataset.test!();
  const network = await FrozenNetwork.open(backend, {
    weights: await extractor.load(),
    inputs: { x: { shape: dataset.shape.sample } },
    apply: (scope, { x }) => extractor.bind(scope).features(x),
    batch: BATCH,
  });
  try {
    const { features, logits } = await network.run({ x: clamped(test.x) });
    const { accuracy } = classAccuracy(logits, test.condition.label as Int32Array, classesOf(dataset.shape));
    return { network, reference: await featureStatistics(features, extractor.widths.features), accuracy };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

const clamped = (x: Float32Array): Float32Array => x.map((value) => Math.min(1, Math.max(-1, value)));
