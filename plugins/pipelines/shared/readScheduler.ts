/** `scheduler_config.json` of diffusers as a process of ours and the sampler that stands for the scheduler. */
import { discreteTable, timestepProcess } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { JsonObject, PipelineSection } from "../../../core/interfaces/mod.ts";
import { numberOf, oneOf, unknownSetting } from "./readSettings.ts";

/** What a scheduler of diffusers says: about the model, and about drawing from it. */
export interface Scheduled {
  readonly process: PipelineSection;
  readonly sampler: PipelineSection;
}

const CURVES = { linear: "linear", scaled_linear: "scaledLinear", squaredcos_cap_v2: "squaredCosine" } as const;
const PREDICTIONS = { epsilon: "epsilon", v_prediction: "velocity", sample: "sample" } as const;

/** Read by a sampler: settings of a scheduler, and its file for messages. */
type Reader = (settings: JsonObject, from: string) => Omit<PipelineSection, "use">;

/** Which timesteps; `spacing` is the scheduler's own where its file leaves it out. */
const spaced =
  (spacing: "leading" | "linspace" | "trailing", karras = false): Reader =>
  (settings, from) => {
    const named = oneOf(from, settings, "timestep_spacing", "leading", "linspace", "trailing") ?? spacing;
    const offset = numberOf(from, settings, "steps_offset", { min: 0, whole: true }) ?? 0;
    const isKarras = karras && oneOf(from, settings, "use_karras_sigmas", false, true) === true;
    return isKarras ? { spacing: "karras" } : { spacing: named, offset };
  };

/** The same for samplers of noise levels, which start from √(1 + σ²)·ε for `leading` only. */
const levelled =
  (karras: boolean): Reader =>
  (settings, from) => ({
    ...spaced("linspace", karras)(settings, from),
    ...(settings.timestep_spacing !== "leading" && { startAtLevel: true }),
  });

/** The level below the last step is that of timestep 0, unless the file says otherwise. */
const toFirst: Reader = (settings, from) => ({
  endAtFirst: oneOf(from, settings, "set_alpha_to_one", false, true) === false,
});
const clipped: Reader = (settings, from) => {
  if (oneOf(from, settings, "clip_sample", false, true) !== true) return {};
  return { clip: numberOf(from, settings, "clip_sample_range", { min: 0 }) ?? 1 };
};
const both =
  (...readers: readonly Reader[]): Reader =>
  (settings, from) =>
    Object.assign({}, ...readers.map((read) => read(settings, from)));

/** Samplers by the schedulers that they stand for. */
const SAMPLERS: Readonly<Record<string, readonly [use: string, read: Reader]>> = {
  DDIMScheduler: ["ddim", both(spaced("leading"), toFirst, clipped)],
  PNDMScheduler: [
    "pndm",
    both(spaced("leading"), toFirst, (settings, from) => {
      if (oneOf(from, settings, "skip_prk_steps", false, true) === true) return {};
      throw unknownSetting(from, "skip_prk_steps", settings.skip_prk_steps ?? false, "true");
    }),
  ],
  DDPMScheduler: ["ddpm", both(spaced("leading"), clipped)],
  EulerDiscreteScheduler: ["euler", levelled(true)],
  EulerAncestralDiscreteScheduler: ["euler-ancestral", levelled(false)],
  HeunDiscreteScheduler: ["heun", levelled(true)],
  LMSDiscreteScheduler: ["lms", levelled(true)],
  KDPM2DiscreteScheduler: ["dpm2", levelled(true)],
  KDPM2AncestralDiscreteScheduler: ["dpm2-ancestral", levelled(true)],
  DPMSolverMultistepScheduler: [
    "dpm-solver",
    both(spaced("linspace", true), (settings, from) => ({
      order: oneOf(from, settings, "solver_order", 1, 2, 3) ?? 2,
      solver: oneOf(from, settings, "solver_type", "midpoint", "heun") ?? "midpoint",
      lowerOrderFinal: oneOf(from, settings, "lower_order_final", false, true) ?? true,
      firstOrderFinal: oneOf(from, settings, "euler_at_final", false, true) ?? false,
      ...(oneOf(from, settings, "algorithm_type", "dpmsolver", "dpmsolver++", "sde-dpmsolver++") !== undefined &&
        algorithms[settings.algorithm_type as keyof typeof algorithms]),
    })),
  ],
  LCMScheduler: [
    "lcm",
    (settings, from) => ({
      grid: numberOf(from, settings, "original_inference_steps", { min: 1, whole: true }) ?? 50,
      scaling: numberOf(from, settings, "timestep_scaling", { min: 0 }) ?? 10,
    }),
  ],
  TCDScheduler: [
    "tcd",
    (settings, from) => ({
      grid: numberOf(from, settings, "original_inference_steps", { min: 1, whole: true }) ?? 50,
    }),
  ],
};
/** The scheduler of SD3 and FLUX. */
const FLOW = "FlowMatchEulerDiscreteScheduler";

const algorithms = {
  dpmsolver: { predict: "noise" },
  "dpmsolver++": {},
  "sde-dpmsolver++": { eta: 1 },
} as const;

/**
 * A rectified flow by Euler's steps (SD3, arXiv:2403.03206). Ours go down evenly from the last time before pure noise, 0.999 of 1,
 * where diffusers begins at 1 itself.
 */
function flowOf(settings: JsonObject, from: string): Scheduled {
  for (const name of ["use_dynamic_shifting", "use_karras_sigmas", "use_exponential_sigmas", "invert_sigmas"])
    oneOf(from, settings, name, false);
  const process = {
    use: "rectified-flow",
    count: numberOf(from, settings, "num_train_timesteps", { min: 2, whole: true }) ?? 1000,
    shift: numberOf(from, settings, "shift", { min: 1e-3 }) ?? 1,
  };
  return { process, sampler: { use: "euler", spacing: "trailing" } };
}

/**
 * Process and sampler of a scheduler's settings.
 * @throws E_CONFIG for a scheduler, curve or prediction that onestep does not know
 */
export function schedulerOf(settings: JsonObject, from: string): Scheduled {
  const name = settings._class_name;
  if (name === FLOW) return flowOf(settings, from);
  if (typeof name !== "string" || !Object.hasOwn(SAMPLERS, name))
    throw unknownSetting(from, "_class_name", name, `one of ${[...Object.keys(SAMPLERS), FLOW].join(", ")}`);
  const known = <T extends object>(setting: string, table: T, usual: keyof T & string): T[keyof T] => {
    const value = oneOf(from, settings, setting, ...(Object.keys(table) as (keyof T & string)[])) ?? usual;
    return table[value];
  };
  if ((settings.trained_betas ?? undefined) !== undefined)
    throw unknownSetting(from, "trained_betas", settings.trained_betas, "absent");
  const process = {
    use: "discrete",
    curve: known("beta_schedule", CURVES, "linear"),
    betaStart: numberOf(from, settings, "beta_start", { min: 0 }) ?? 1e-4,
    betaEnd: numberOf(from, settings, "beta_end", { min: 0 }) ?? 0.02,
    count: numberOf(from, settings, "num_train_timesteps", { min: 1, max: 100_000, whole: true }) ?? 1000,
    zeroTerminalSnr: oneOf(from, settings, "rescale_betas_zero_snr", false, true) ?? false,
    prediction: known("prediction_type", PREDICTIONS, "epsilon"),
  };
  if (process.betaStart >= 1 || process.betaEnd >= 1)
    throw failure(
      "E_CONFIG",
      `Cannot use ${from}: beta_start is ${process.betaStart} and beta_end ${process.betaEnd}, should be below 1`,
    );
  const [use, read] = SAMPLERS[name];
  const sampler = read(settings, from);
  if (sampler.spacing !== "karras") return { process, sampler: { use, ...sampler } };
  // Karras' curve is laid between the levels of the first and the last timestep.
  const { sigmas: levels = [] } = timestepProcess(discreteTable(process), process.prediction);
  return { process, sampler: { use, ...sampler, sigmaMin: levels[0], sigmaMax: levels[levels.length - 1] } };
}
