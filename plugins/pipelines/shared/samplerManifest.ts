/** `onestep_sampler.json`: how a distilled generator is sampled, beside its weights or in their metadata. */
import type { JsonObject, SamplerManifest } from "../../../core/interfaces/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { type Kind, kinds, pluginKinds } from "../../../core/plugin/mod.ts";
import { parseWeightsInfo, type WeightsInfo } from "../../../core/train/mod.ts";

/** The file that onestep writes beside a distilled generator. */
export const SAMPLER_MANIFEST = "onestep_sampler.json";
/** Key of the same in the metadata of a safetensors file. */
export const SAMPLER_KEY = "onestep_sampler";
/** Teachers are sampled in as many steps unless their sampler says otherwise. */
const TEACHER_STEPS = 50;

const PREDICTIONS: Readonly<Record<string, SamplerManifest["prediction_type"]>> = {
  epsilon: "epsilon",
  velocity: "v_prediction",
  sample: "sample",
};

/** What weights of a run say of themselves, in words of ours and of others. */
export function manifestOf({ role, stage, data, config }: WeightsInfo): SamplerManifest {
  const { process, generator, sampler, teacher } = config;
  const isTeacher = role === "teacher";
  const list = (value: unknown) => (Array.isArray(value) && value.length > 0 ? (value as number[]) : undefined);
  const timesteps = isTeacher ? undefined : list(generator?.timesteps);
  const calls = (timesteps ?? list(generator?.sigmas) ?? [0]).length;
  const steps = typeof sampler?.steps === "number" ? sampler.steps : TEACHER_STEPS;
  const prediction = process?.use === "discrete" ? PREDICTIONS[String(process.prediction ?? "epsilon")] : undefined;
  const scale = teacher?.guidanceScale;
  return {
    version: 1,
    role,
    ...(stage !== undefined && { stage }),
    steps: isTeacher ? steps : calls,
    ...(timesteps && { timesteps }),
    prediction_type: prediction ?? (process?.use === "rectified-flow" ? "flow" : "sample"),
    guidance_scale: isTeacher && typeof scale === "number" ? scale : 1,
    data,
    config: drawingSections(config),
  };
}

/** Sections of a config that drawing needs; the others may name files of whoever trained. Adapters are in the weights by now. */
function drawingSections(config: WeightsInfo["config"]): JsonObject {
  const sections: Readonly<Record<string, unknown>> = { ...config };
  const drawn = pluginKinds.filter((kind) => (kinds[kind] as Kind).draws && sections[kind] !== undefined);
  const kept = Object.fromEntries(drawn.map((kind) => [kind, sections[kind]]));
  if (!config.generator) return kept;
  const { lora: _, ...generator } = config.generator;
  return { ...kept, generator };
}

/** The noise process of a run in the words of diffusers' schedulers; undefined for one that they do not have. */
export function schedulerNoise({ process }: WeightsInfo["config"]): JsonObject | undefined {
  if (process?.use !== "discrete") return undefined;
  const {
    curve = "scaledLinear",
    betaStart = 0.00085,
    betaEnd = 0.012,
    count = 1000,
    zeroTerminalSnr = false,
  } = process;
  return {
    beta_schedule: CURVES[String(curve)],
    beta_start: betaStart,
    beta_end: betaEnd,
    num_train_timesteps: count,
    rescale_betas_zero_snr: zeroTerminalSnr,
    prediction_type: PREDICTIONS[String(process.prediction ?? "epsilon")],
  };
}

/** Curves of the process `discrete`, as diffusers calls them. */
const CURVES: Readonly<Record<string, string>> = {
  linear: "linear",
  scaledLinear: "scaled_linear",
  squaredCosine: "squaredcos_cap_v2",
};

/**
 * A manifest that was written so.
 * @throws E_CHECKPOINT where it lacks what drawing needs
 */
export function parseManifest(text: string, from: string): SamplerManifest {
  const info = parseWeightsInfo(text, from);
  const { timesteps } = parseJson(text) as Partial<SamplerManifest>;
  const isList = Array.isArray(timesteps) && timesteps.every((value) => typeof value === "number");
  const manifest = manifestOf(info);
  return isList ? { ...manifest, timesteps } : manifest;
}
