/** Every plugin that comes with onestep, by name; and all of them, for a registry. */
import { ema } from "./averages/ema.ts";
import { fakeScore } from "./critics/fakeScore.ts";
import { gaussiansDataset } from "./datasets/gaussiansPlugin.ts";
import { mnistDataset } from "./datasets/mnistPlugin.ts";
import { fewStep } from "./generators/fewStep.ts";
import { distributionMatching } from "./losses/distributionMatching.ts";
import { edmDenoising } from "./losses/edmDenoising.ts";
import { fakeScoreLoss } from "./losses/fakeScore.ts";
import { ganDiscriminator } from "./losses/ganDiscriminator.ts";
import { ganGenerator } from "./losses/ganGenerator.ts";
import { classifierFrechet } from "./metrics/classifierFrechet.ts";
import { gaussianModes } from "./metrics/gaussianModes.ts";
import { adm } from "./networks/adm.ts";
import { mlp } from "./networks/mlp.ts";
import { adamw } from "./optimizers/adamw.ts";
import { heun } from "./samplers/heun.ts";
import { renoise } from "./samplers/renoise.ts";
import { edm } from "./teachers/edm.ts";
import { gaussianMixture } from "./teachers/gaussianMixture.ts";

export { dmd2, type Method } from "./methods/dmd2.ts";
export {
  adamw,
  adm,
  classifierFrechet,
  distributionMatching,
  edm,
  edmDenoising,
  ema,
  fakeScore,
  fakeScoreLoss,
  fewStep,
  ganDiscriminator,
  ganGenerator,
  gaussianMixture,
  gaussianModes,
  gaussiansDataset,
  heun,
  mlp,
  mnistDataset,
  renoise,
};

/** One line a plugin: a new one is added here. */
export const allPlugins = [
  gaussiansDataset,
  mnistDataset,
  mlp,
  adm,
  edm,
  gaussianMixture,
  fewStep,
  fakeScore,
  edmDenoising,
  distributionMatching,
  fakeScoreLoss,
  ganGenerator,
  ganDiscriminator,
  heun,
  renoise,
  adamw,
  ema,
  classifierFrechet,
  gaussianModes,
] as const;
