/** The EDM recipe of the official DMD2 code in our terms: its configuration as plugins, its weight files as roles. */
import type { DataShape } from "../../core/interfaces/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { fakeScore } from "../../plugins/critics/fakeScore.ts";
import { fewStep } from "../../plugins/generators/fewStep.ts";
import { distributionMatching } from "../../plugins/losses/distributionMatching.ts";
import { fakeScoreLoss } from "../../plugins/losses/fakeScore.ts";
import { ganDiscriminator } from "../../plugins/losses/ganDiscriminator.ts";
import { ganGenerator } from "../../plugins/losses/ganGenerator.ts";
import { edm } from "../../plugins/teachers/edm.ts";
import { edmNetwork } from "./edmNetwork.ts";
import type { GoldenCase, ManifestCase } from "./goldenCase.ts";

type Config = ManifestCase["config"];

/** Images as the case has them: channels and resolution of its network. */
export const dataShapeOf = (config: Config): DataShape => ({
  sample: [config.network.img_channels ?? 3, config.resolution, config.resolution],
  classes: config.label_dim,
  sigmaData: config.sigma_data,
});

/** Network, teacher, generator and critic of a case. Throws Unsupported for a network that there is no plugin for. */
export const rolesOf = (config: Config, conditioningSigma = 80): ConfiguredPlugin[] => [
  edmNetwork({ ...config.network, img_resolution: config.resolution }),
  edm(),
  fewStep({ sigmas: [config.conditioning_sigma ?? conditioningSigma] }),
  fakeScore({ head: config.gan_classifier, headGroups: config.cls_groups, headGroupWidth: 1 }),
];

/** The losses of a case, with the weights its configuration gives them, in the order in which the reference draws. */
export function lossesOf(config: Config): ConfiguredPlugin[] {
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
  const core = [
    distributionMatching({
      ...levels,
      minStep: config.min_step_percent,
      maxStep: config.max_step_percent,
    }),
    fakeScoreLoss(levels),
  ];
  if (!config.gan_classifier) return core;
  return [
    ...core,
    ganGenerator({ ...shown, weight: config.gen_cls_loss_weight }),
    ganDiscriminator({ ...shown, weight: config.cls_loss_weight }),
  ];
}

/** The reference's name of a critic parameter. */
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
