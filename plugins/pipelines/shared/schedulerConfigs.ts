/** `scheduler_config.json` as published models have it, for those that came without. */
import type { Architecture, JsonObject } from "../../../core/interfaces/mod.ts";

/** The noise of all models of Stable Diffusion. */
const NOISE: JsonObject = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  num_train_timesteps: 1000,
  steps_offset: 1,
  clip_sample: false,
  trained_betas: null,
};

/** The noise of DiT. */
export const DIT_SCHEDULER: JsonObject = {
  _class_name: "DDIMScheduler",
  beta_start: 1e-4,
  beta_end: 0.02,
  beta_schedule: "linear",
  num_train_timesteps: 1000,
  prediction_type: "epsilon",
  clip_sample: false,
};

/** The scheduler that the makers of an architecture give with it; undefined where there is none. */
export function usualScheduler(architecture: Architecture, differing: JsonObject = {}): JsonObject | undefined {
  if (architecture === "sdxl")
    return {
      _class_name: "EulerDiscreteScheduler",
      ...NOISE,
      prediction_type: "epsilon",
      timestep_spacing: "leading",
      interpolation_type: "linear",
      use_karras_sigmas: false,
      ...differing,
    };
  if (architecture !== "sd15" && architecture !== "sd2") return undefined;
  return {
    _class_name: "PNDMScheduler",
    ...NOISE,
    prediction_type: "epsilon",
    set_alpha_to_one: false,
    skip_prk_steps: true,
    ...differing,
  };
}

/**
 * The scheduler with which diffusers calls a distilled generator: each step predicts x0 and noises it to the next level. Its own
 * boundary conditions are 1 and 0 to seven digits at the timesteps of generators. Steps are given to the pipeline as `timesteps`.
 * @param noise the process that the generator was trained with
 */
export const fewStepScheduler = (noise: JsonObject): JsonObject => ({
  _class_name: "LCMScheduler",
  ...NOISE,
  prediction_type: "epsilon",
  original_inference_steps: 50,
  set_alpha_to_one: true,
  thresholding: false,
  timestep_scaling: 10,
  timestep_spacing: "leading",
  ...noise,
});
