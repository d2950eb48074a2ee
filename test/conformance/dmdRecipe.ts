/** The recipes of the official DMD2 code (EDM's, SD 1.5's and SDXL's) in our terms: data and plugins of a case. */
import type { BetaCurve } from "../../core/diffusion/mod.ts";
import { classLabel, type DataShape } from "../../core/interfaces/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { fakeScore } from "../../plugins/critics/fakeScore.ts";
import { fewStep } from "../../plugins/generators/fewStep.ts";
import { distributionMatching } from "../../plugins/losses/distributionMatching.ts";
import { fakeScoreLoss } from "../../plugins/losses/fakeScore.ts";
import { ganDiscriminator } from "../../plugins/losses/ganDiscriminator.ts";
import { ganGenerator } from "../../plugins/losses/ganGenerator.ts";
import { discrete } from "../../plugins/processes/discrete.ts";
import { edm } from "../../plugins/teachers/edm.ts";
import { guided } from "../../plugins/teachers/guided.ts";
import { edmNetwork } from "./edmNetwork.ts";
import type { GoldenCase } from "./goldenCase.ts";
import { Unsupported } from "./kind.ts";
import { ignore, only, replaced, type Settings } from "./settings.ts";
import { unet2dOf } from "./unet2dConfig.ts";

/** A case as data and plugins. */
export interface Recipe {
  readonly shape: DataShape;
  readonly plugins: readonly ConfiguredPlugin[];
}

/** What a recipe takes besides the settings of the case. */
interface RecipeExtras {
  /** Shape of a sample, where the settings do not say it. */
  readonly sample?: readonly number[];
  /** Settings of a LoRA generator. */
  readonly adapters?: Settings;
}

/** The recipe of a case. @throws Unsupported for settings that no plugin has */
export function recipeOf(config: Settings, extras: RecipeExtras = {}): Recipe {
  only(config, "use_fp16", false);
  // The width of the head follows from the network, and the weights of a case from its file.
  ignore(config, "cls_channels", "initialie_generator", "gradient_checkpointing", "weights_file");
  return config.unet ? latentRecipe(config, extras) : edmRecipe(config);
}

function edmRecipe(config: Settings): Recipe {
  ignore(config, "dataset_name", "gen_cls_loss_weight", "cls_loss_weight");
  only(config.network, "sigma_data", config.sigma_data);
  const levels = {
    levels: config.num_train_timesteps,
    rho: config.rho,
    sigmaMin: config.sigma_min,
    sigmaMax: config.sigma_max,
  };
  const shown = {
    ...levels,
    diffused: config.diffusion_gan,
    maxStep: config.diffusion_gan_max_timestep / config.num_train_timesteps,
  };
  const gan = [
    ganGenerator({ ...shown, weight: config.gen_cls_loss_weight ?? 1 }),
    ganDiscriminator({ ...shown, weight: config.cls_loss_weight ?? 1 }),
  ];
  return {
    shape: {
      sample: [config.network.img_channels ?? 3, config.resolution, config.resolution],
      condition: classLabel(config.label_dim),
      sigmaData: config.sigma_data,
    },
    plugins: [
      edmNetwork(replaced(config.network, { img_resolution: config.resolution })),
      edm(),
      fewStep({ sigmas: [config.conditioning_sigma ?? 80] }),
      fakeScore({ head: config.gan_classifier, headGroups: config.cls_groups, headGroupWidth: 1 }),
      distributionMatching({ ...levels, ...stepsOf(config) }),
      fakeScoreLoss(levels),
      ...(config.gan_classifier ? gan : []),
    ],
  };
}

function latentRecipe(config: Settings, { sample, adapters }: RecipeExtras): Recipe {
  const { num_train_timesteps: T, unet } = config;
  only(config, "gan_alone", false);
  only(config, "fake_guidance_scale", 1);
  // Whether it is SDXL the network says too; a case names its files and what it has drawn.
  ignore(config, "sdxl", "lora_file", "generator_weights_file", "selected_step");
  const shown = {
    diffused: config.diffusion_gan,
    maxStep: (config.diffusion_gan_max_timestep || T) / T,
  };
  const moving = ganGenerator({ ...shown, weight: config.gen_cls_loss_weight });
  return {
    shape: latentShape(unet, sample),
    plugins: [
      processOf(config),
      unet2dOf(unet),
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
      distributionMatching({ ...stepsOf(config), weight: config.dm_loss_weight }),
      fakeScoreLoss(),
      ...(config.gen_cls_loss === false ? [] : [moving]),
      ganDiscriminator({ ...shown, weight: config.guidance_cls_loss_weight }),
    ],
  };
}

const stepsOf = (config: Settings) => ({
  minStep: config.min_step_percent,
  maxStep: config.max_step_percent,
});

/** Latents and text as the network has them. */
function latentShape(unet: Settings, sample?: readonly number[]): DataShape {
  const { sample_size: size, in_channels: channels } = unet;
  const sizes = 6 * (unet.addition_time_embed_dim ?? 0);
  const pooled = unet.addition_embed_type && unet.projection_class_embeddings_input_dim - sizes;
  return {
    sample: sample ?? [channels, size, size],
    sigmaData: 1,
    condition: {
      text: { shape: [77, unet.cross_attention_dim], dtype: "f32", empty: "stored" },
      ...(pooled && {
        pooled: { shape: [pooled], dtype: "f32", empty: "stored" },
        timeIds: { shape: [6], dtype: "f32", empty: "same" },
      }),
    },
  };
}

/** Timesteps of the generator: one, or its list. */
export function timestepsOf(config: Settings): readonly number[] {
  const { denoising_step_list: list, num_train_timesteps: T } = config;
  if (!list) return [config.conditioning_timestep ?? T - 1];
  only(config, "num_denoising_step", list.length);
  only(config, "timestep_interval", T / list.length);
  return list;
}

/** Names of the public library for how β grows. */
const curves: Readonly<Record<string, BetaCurve>> = {
  linear: "linear",
  scaled_linear: "scaledLinear",
  squaredcos_cap_v2: "squaredCosine",
};

function processOf({ scheduler, num_train_timesteps: T }: Settings): ConfiguredPlugin {
  const { beta_schedule: curve } = scheduler;
  if (!(curve in curves)) throw new Unsupported(`no noise schedule ${curve}`);
  // The official code reads every network as a prediction of the noise, and samples without the scheduler.
  only(scheduler, "prediction_type", "epsilon");
  ignore(scheduler, "clip_sample", "set_alpha_to_one", "steps_offset");
  return discrete({
    curve: curves[curve],
    betaStart: scheduler.beta_start,
    betaEnd: scheduler.beta_end,
    count: scheduler.num_train_timesteps ?? T,
    zeroTerminalSnr: scheduler.rescale_betas_zero_snr,
  });
}

function loraOf(adapters: Settings) {
  only(adapters, "lora_dropout", 0);
  const { lora_rank: rank, lora_alpha: alpha, target_modules: targets } = adapters;
  return { rank, alpha, targets };
}

/** The reference's name of a critic parameter in its weight files. */
export const criticName = (parameter: string): string => parameter.replace(/^fake_unet\./, "fake.");

/** Buffers of the reference that are no parameters here: the means of its 2×2 resampling filter. */
export const isBuffer = (name: string): boolean => name.endsWith(".resample_filter");
/** Value of every element of such a buffer. */
export const FILTER_VALUE = 0.25;

/** Weights under `prefix` by the reference's parameter names, buffers left out. */
export const weightNames = (reference: GoldenCase, prefix: string): string[] =>
  reference
    .names(prefix)
    .filter((name) => !isBuffer(name))
    .map((name) => name.slice(prefix.length));
