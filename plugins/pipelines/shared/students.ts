/** How published few-step models are sampled: levels, what the network predicts, guidance. */
import { discreteTable, fewStepTimesteps, flowProcess, timestepProcess } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { PipelineModel, PipelineSection, SamplerManifest } from "../../../core/interfaces/mod.ts";

/** What is drawn with: sections of a config, and the factor of guidance. */
export interface Drawing {
  /** Whose rules these are: `model`, `manifest`, or one of the students. */
  readonly as: string;
  readonly process: PipelineSection;
  readonly sampler: PipelineSection;
  readonly guidanceScale: number;
  /** The factors that it knows, where it is told one and learned only some. */
  readonly scales?: { readonly least: number; readonly most: number };
}

/** What a student's rules follow from. */
interface Scene {
  readonly model: PipelineModel;
  /** Name of the pipeline. */
  readonly pipeline: string;
  /** Network calls that are asked for. */
  readonly steps?: number;
}

type StudentRule = (scene: Scene) => Omit<Drawing, "as">;

/** The level of each timestep of a process. */
function levelsOf({ use, prediction, ...options }: PipelineSection): readonly number[] {
  const process =
    use === "rectified-flow"
      ? flowProcess(options)
      : timestepProcess(discreteTable(options), prediction as Parameters<typeof timestepProcess>[1]);
  return process.sigmas ?? [];
}

/** Predict and add noise anew at these timesteps. */
function renoiseAt(process: PipelineSection, timesteps: readonly number[]): PipelineSection {
  const sigmas = levelsOf(process);
  const outside = timesteps.find((timestep) => !Number.isFinite(sigmas[timestep]));
  if (timesteps.length === 0 || outside !== undefined)
    throw failure(
      "E_CONFIG",
      `Cannot draw at the timesteps ${timesteps.join(", ") || "of an empty list"}: ${outside ?? "none"} is no timestep with a finite level, expected some in [0, ${sigmas.length - 1}]`,
    );
  return { use: "renoise", sigmas: timesteps.map((timestep) => sigmas[timestep]) };
}

/**
 * DMD2 (arXiv:2405.14867): 999, 749, 499, 249 for four steps; one step is 999 in SD 1.5 and 399 in SDXL.
 * LCM (2310.04378), TCD (2402.19159): their own samplers on a grid of 50 timesteps.
 * SDXL-Lightning (2402.13929): Euler from timestep 999 down; the one-step model predicts the sample.
 * Turbo (ADD, 2311.17042): Euler with fresh noise, from timestep 999 down.
 */
export const students: Readonly<Record<string, StudentRule>> = {
  dmd2({ model, pipeline, steps = 4 }) {
    const { process } = model.config;
    const { length } = levelsOf(process);
    const timesteps = steps === 1 ? [pipeline === "sdxl" ? 399 : length - 1] : fewStepTimesteps(steps, length);
    return { process, sampler: renoiseAt(process, timesteps), guidanceScale: 1 };
  },
  lcm: ({ model, steps = 4 }) => ({
    process: model.config.process,
    sampler: { use: "lcm", steps },
    guidanceScale: model.guidanceEmbedded ? 8.5 : 1,
  }),
  tcd: ({ model, steps = 4 }) => ({
    process: model.config.process,
    sampler: { use: "tcd", steps },
    guidanceScale: 1,
  }),
  lightning: ({ model, steps = 4 }) => ({
    process: steps === 1 ? { ...model.config.process, prediction: "sample" } : model.config.process,
    sampler: { use: "euler", spacing: "trailing", startAtLevel: true, steps },
    guidanceScale: 1,
  }),
  turbo: ({ model, steps = 1 }) => ({
    process: model.config.process,
    sampler: { use: "euler-ancestral", spacing: "trailing", startAtLevel: true, steps },
    guidanceScale: 1,
  }),
};

const PREDICTIONS: Readonly<Record<string, string>> = {
  epsilon: "epsilon",
  v_prediction: "velocity",
  sample: "sample",
  // A flow has no other.
  flow: "velocity",
};

/** Whether a manifest says at which levels its generator is called; that of a teacher does not. */
export const hasLevels = ({ role, timesteps, config }: SamplerManifest): boolean =>
  role !== "teacher" && (timesteps !== undefined || sigmasOf(config) !== undefined);

const sigmasOf = ({ generator }: SamplerManifest["config"]): readonly number[] | undefined => {
  const sigmas = (generator as { readonly sigmas?: unknown } | undefined)?.sigmas;
  const isList = Array.isArray(sigmas) && sigmas.length > 0 && sigmas.every((each) => typeof each === "number");
  return isList ? sigmas : undefined;
};

/** The factors of guidance that a generator learned to be told, and that which it was drawn with; nothing where it learned none. */
function learned({ generator }: SamplerManifest["config"]): Partial<Pick<Drawing, "guidanceScale" | "scales">> {
  const { guidanceScale, guidanceMin = 1, guidanceMax = 1 } = (generator ?? {}) as Record<string, unknown>;
  const numbers = [guidanceScale, guidanceMin, guidanceMax].filter((value) => typeof value === "number");
  if (numbers.length < 3) return {};
  const [usual, least, most] = numbers;
  return { guidanceScale: usual, scales: { least, most } };
}

/** The rules in the manifest beside a generator that onestep has distilled. @throws E_CONFIG for rules that it can't follow */
export function manifestDrawing(manifest: SamplerManifest, { model, steps }: Scene, from: string): Drawing {
  const { timesteps, config, prediction_type: prediction, guidance_scale: guidanceScale } = manifest;
  if (!Object.hasOwn(PREDICTIONS, prediction))
    throw failure(
      "E_CONFIG",
      `Cannot use the sampler manifest of ${from}: prediction_type is ${JSON.stringify(prediction)}, should be one of ${Object.keys(PREDICTIONS).join(", ")}`,
    );
  const levels = timesteps ?? sigmasOf(config) ?? [];
  if (steps !== undefined && steps !== levels.length)
    throw failure(
      "E_OPTION",
      `Cannot draw in ${steps} steps: the generator of ${from} was distilled for ${levels.length}`,
      { fix: "leave --steps out, or choose other rules with --as" },
    );
  const { process: own } = model.config;
  const isFlow = own.use === "rectified-flow";
  if (isFlow !== (prediction === "flow"))
    throw failure(
      "E_CONFIG",
      `Cannot use the sampler manifest of ${from}: prediction_type is ${JSON.stringify(prediction)}, and the model's noise process is ${own.use}`,
    );
  const process = isFlow ? own : { ...own, prediction: PREDICTIONS[prediction] };
  const sampler = timesteps ? renoiseAt(process, timesteps) : { use: "renoise", sigmas: levels };
  return { as: "manifest", process, sampler, guidanceScale, ...(model.guidanceEmbedded && learned(config)) };
}
