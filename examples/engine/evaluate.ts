import { Container } from "../../core/di/mod.ts";
import { failure } from "../../core/errors.ts";
import {
  BACKEND,
  CACHE,
  DATA_FOLDER,
  DATASET,
  DATASET_SOURCE,
  type DataFolder,
  METRICS,
  PACE,
} from "../../core/interfaces/mod.ts";
import { callback, checkOptions, object, type Rule } from "../../core/plugin/mod.ts";
import { formatShape } from "../../core/tensor/mod.ts";
import { checkCounts } from "../../core/train/config/checkPlugins.ts";
import { type JudgeConfig, type RunConfig, resolveJudges } from "../../core/train/config/config.ts";
import { provideShape } from "../../core/train/run/compose.ts";
import { EVALUATION_SEED, type Judgement, judgeSamples } from "../../core/train/sampling/evaluation.ts";
import { throwIfAborted, unlessAborted } from "./abort.ts";
import { type Around, dataFolder } from "./around.ts";
import type { Model } from "./model.ts";
import { type SampleRequest, sampleRules } from "./sampleRequest.ts";

/** What to judge, by which metrics, against which data. */
export interface EvaluateRequest
  extends Pick<SampleRequest, "count" | "seed" | "prompt" | "steps" | "sampler" | "guidance" | "signal">,
    Partial<JudgeConfig> {
  /** Folder of the data, where the dataset reads files. */
  readonly data?: string | DataFolder;
  /** Hears how far each part of the work is, such as "judging samples". */
  readonly onProgress?: (what: string, done: number, total: number) => void;
}

const { count, seed, prompt, steps, sampler, guidance, signal } = sampleRules;
const rules: Readonly<Record<keyof EvaluateRequest, Rule<unknown>>> = {
  ...{ count, seed, prompt, steps, sampler, guidance, signal },
  dataset: object,
  metrics: object,
  extractors: object,
  encoders: object,
  data: { expected: "a folder", fromText: (text) => text, read: (value) => value },
  onProgress: callback,
};

/**
 * Judges samples of a model. What the request does not say is as in the run that made the weights: its dataset, its metrics, as many
 * samples and the same noise as it was judged with itself.
 */
export async function evaluateModel(
  model: Model,
  request: EvaluateRequest,
  around: Around,
  trained?: RunConfig,
): Promise<Judgement> {
  checkOptions("evaluate", rules, request);
  const { signal, onProgress, data, ...given } = request;
  const dataset = given.dataset ?? trained?.dataset;
  const metrics = given.metrics ?? trained?.metrics ?? {};
  if (!dataset || Object.keys(metrics).length === 0) {
    const what = dataset ? "metrics" : "a dataset to compare with";
    throw failure("E_CONFIG", `Cannot evaluate the ${model.role}: the weights name no ${what}`, {
      fix: 'name them: evaluate({ dataset: { use: "gaussians" }, metrics: { "gaussian-modes": {} } })',
    });
  }
  const { extractors = trained?.extractors ?? {}, encoders = trained?.encoders ?? {} } = given;
  const { plugins } = resolveJudges({ dataset, metrics, extractors, encoders }, around.registry);
  const { evaluateCount = 1000 } = (trained?.train ?? {}) as { evaluateCount?: number };
  const { count = evaluateCount, seed = EVALUATION_SEED, prompt, steps, sampler, guidance } = given;
  return unlessAborted(signal, "evaluate", async () => {
    const container = new Container();
    try {
      const tell = async (what: string, done: number, total: number) => {
        throwIfAborted(signal, "evaluate");
        onProgress?.(what, done, total);
      };
      const folder = await dataFolder(data, around, signal, "evaluate");
      container.value(BACKEND, around.backend, "the engine").value(DATA_FOLDER, folder, "the engine");
      container.value(PACE, tell, "the engine");
      if (around.cache) container.value(CACHE, around.cache, "the engine");
      for (const plugin of plugins) plugin.install(container);
      const reference = await container.get(DATASET_SOURCE);
      container.value(DATASET, reference, "the engine");
      provideShape(container, reference.shape, "the data");
      checkCounts(container, count);
      const judges = container.all(METRICS);
      for (const metric of judges) await metric.ready?.();
      const onDrawn = (done: number, total: number) => onProgress?.("judging samples", done, total);
      const drawn = model.portions({ count, seed, prompt, steps, sampler, guidance, signal, onProgress: onDrawn });
      let nfe = 0;
      const compared = async function* () {
        for await (const portion of drawn) {
          checkAlike(portion.shape.slice(1), reference.shape.sample);
          nfe = portion.nfe;
          yield portion;
        }
      };
      const found = await judgeSamples(judges, compared());
      return { who: model.role, nfe, count, metrics: found };
    } finally {
      await container.dispose();
    }
  });
}

function checkAlike(found: readonly number[], data: readonly number[]): void {
  if (found.join() === data.join()) return;
  throw failure("E_DATA", `Cannot compare samples ${formatShape(found)} with data ${formatShape(data)}`, {
    fix: "name a dataset of the same size and number of channels",
  });
}
