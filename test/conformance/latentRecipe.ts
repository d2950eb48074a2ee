/** The latent recipes (SD 1.5, SDXL) of the official DMD2 code in our terms: its configuration as plugins. */
import type { BetaCurve } from "../../core/diffusion/mod.ts";
import type { DataShape } from "../../core/interfaces/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { fakeScore } from "../../plugins/critics/fakeScore.ts";
import { fewStep } from "../../plugins/generators/fewStep.ts";
import { distributionMatching } from "../../plugins/losses/distributionMatching.ts";
import { fakeScoreLoss } from "../../plugins/losses/fakeScore.ts";
import { ganDiscriminator } from "../../plugins/losses/ganDiscriminator.ts";
import { ganGenerator } from "../../plugins/losses/ganGenerator.ts";
import { discrete } from "../../plugins/processes/discrete.ts";
import { guided } from "../../plugins/teachers/guided.ts";
import type { ManifestCase } from "./goldenCase.ts";
import { Unsupported } from "./kind.ts";
import { unet2dOf } from "./unet2dConfig.ts";

type Config = ManifestCase["config"];

/** Latents and text as the case has them. */
export function latentShapeOf({ unet }: Config, sample?: readonly number[]): DataShape {
  const { sample_size: size, in_channels: channels } = unet;
  const sizes = 6 * (unet.addition_time_embed_dim ?? 0);
  const pooled = unet.addition_embed_type && unet.projection_class_embeddings_input_dim - sizes;
  return {
    sample: sample ?? [channels, size, size],
    classes: 0,
    sigmaData: 1,
    text: {
      tokens: 77,
      width: unet.cross_attention_dim,
      ...(pooled && { pooled }),
      unconditional: ["text", ...(pooled ? (["pooled"] as const) : [])],
    },
  };
}

/** Schedule, network, roles and losses of a case; `adapters` are the settings of a LoRA generator. */
export function latentPlugins(config: Config, adapters?: Config): ConfiguredPlugin[] {
  const { fake_guidance_scale: fakeScale = 1, num_train_timesteps: T } = config;
  if (fakeScale !== 1) throw new Unsupported(`no guidance of the fake score, by ${fakeScale}`);
  const shown = {
    diffused: config.diffusion_gan,
    maxStep: (config.diffusion_gan_max_timestep || T) / T,
  };
  return [
    scheduleOf(config),
    unet2dOf(config.unet),
    guided({ guidanceScale: Math.max(1, config.real_guidance_scale) }),
    fewStep({
      timesteps: timestepsOf(config),
      inputs: config.backward_simulation === false ? "real" : "simulated",
      ...(adapters && { lora: loraOf(adapters) }),
    }),
    fakeScore({
      head: config.cls_on_clean_image,
      headGroups: config.cls_groups,
      headGroupWidth: 1,
    }),
    distributionMatching({
      minStep: config.min_step_percent,
      maxStep: config.max_step_percent,
      weight: config.dm_loss_weight,
    }),
    fakeScoreLoss(),
    ganGenerator({ ...shown, weight: config.gen_cls_loss_weight }),
    ganDiscriminator({ ...shown, weight: config.guidance_cls_loss_weight }),
  ];
}

/** Timesteps of the generator: one, or its list. */
export const timestepsOf = (config: Config): readonly number[] =>
  config.denoising_step_list ?? [config.conditioning_timestep ?? config.num_train_timesteps - 1];

/** Names of the public library for how β grows. */
const curves: Readonly<Record<string, BetaCurve>> = {
  linear: "linear",
  scaled_linear: "scaledLinear",
  squaredcos_cap_v2: "squaredCosine",
};

function scheduleOf({ scheduler, num_train_timesteps: T }: Config): ConfiguredPlugin {
  const { beta_schedule: curve, prediction_type: prediction = "epsilon" } = scheduler;
  if (!(curve in curves)) throw new Unsupported(`no noise schedule ${curve}`);
  // The official code reads every network as a prediction of the noise.
  if (prediction !== "epsilon") throw new Unsupported(`no prediction of ${prediction} in DMD2`);
  return discrete({
    curve: curves[curve],
    betaStart: scheduler.beta_start,
    betaEnd: scheduler.beta_end,
    count: scheduler.num_train_timesteps ?? T,
    zeroTerminalSnr: scheduler.rescale_betas_zero_snr,
  });
}

const loraOf = ({ lora_rank: rank, lora_alpha: alpha, target_modules: targets }: Config) => ({
  rank,
  alpha,
  targets,
});
