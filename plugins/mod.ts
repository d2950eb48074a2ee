/** Every plugin that comes with onestep, by name; and all of them, for a registry. */
import { ema } from "./averages/ema.ts";
import { emaConstant } from "./averages/emaConstant.ts";
import { emaPower } from "./averages/emaPower.ts";
import { gradientBalance } from "./balancers/gradientBalance.ts";
import { fakeScore } from "./critics/fakeScore.ts";
import { cifar10Dataset } from "./datasets/cifar10.ts";
import { gaussiansDataset } from "./datasets/gaussiansPlugin.ts";
import { imagesDataset } from "./datasets/images.ts";
import { latentsDataset } from "./datasets/latents.ts";
import { mnistDataset } from "./datasets/mnistPlugin.ts";
import { picturesDataset } from "./datasets/pictures.ts";
import { fewStep } from "./generators/fewStep.ts";
import { distributionMatching } from "./losses/distributionMatching.ts";
import { edmDenoising } from "./losses/edmDenoising.ts";
import { fakeScoreLoss } from "./losses/fakeScore.ts";
import { ganDiscriminator } from "./losses/ganDiscriminator.ts";
import { ganGenerator } from "./losses/ganGenerator.ts";
import { regression } from "./losses/regression.ts";
import { classifierFrechet } from "./metrics/classifierFrechet.ts";
import { gaussianModes } from "./metrics/gaussianModes.ts";
import { adm } from "./networks/adm.ts";
import { mlp } from "./networks/mlp.ts";
import { song } from "./networks/song.ts";
import { unet2d } from "./networks/unet2d.ts";
import { adamw } from "./optimizers/adamw.ts";
import { discrete } from "./processes/discrete.ts";
import { rectifiedFlow } from "./processes/rectifiedFlow.ts";
import { ddim } from "./samplers/ddim.ts";
import { ddpm } from "./samplers/ddpm.ts";
import { dpm2 } from "./samplers/dpm2.ts";
import { dpm2Ancestral } from "./samplers/dpm2Ancestral.ts";
import { dpmpp2sAncestral } from "./samplers/dpmpp2sAncestral.ts";
import { dpmSolver } from "./samplers/dpmSolver.ts";
import { edmAblation } from "./samplers/edmAblation.ts";
import { euler } from "./samplers/euler.ts";
import { eulerAncestral } from "./samplers/eulerAncestral.ts";
import { heun } from "./samplers/heun.ts";
import { lcm } from "./samplers/lcm.ts";
import { lms } from "./samplers/lms.ts";
import { renoise } from "./samplers/renoise.ts";
import { tcd } from "./samplers/tcd.ts";
import { edm } from "./teachers/edm.ts";
import { gaussianMixture } from "./teachers/gaussianMixture.ts";
import { guided } from "./teachers/guided.ts";

export { dmd } from "./methods/dmd.ts";
export { dmd2, type Method } from "./methods/dmd2.ts";
export {
  adamw,
  adm,
  cifar10Dataset,
  classifierFrechet,
  ddim,
  ddpm,
  discrete,
  distributionMatching,
  dpm2,
  dpm2Ancestral,
  dpmpp2sAncestral,
  dpmSolver,
  edm,
  edmAblation,
  edmDenoising,
  ema,
  emaConstant,
  emaPower,
  euler,
  eulerAncestral,
  fakeScore,
  fakeScoreLoss,
  fewStep,
  ganDiscriminator,
  ganGenerator,
  gaussianMixture,
  gaussianModes,
  gaussiansDataset,
  gradientBalance,
  guided,
  heun,
  imagesDataset,
  latentsDataset,
  lcm,
  lms,
  mlp,
  mnistDataset,
  picturesDataset,
  rectifiedFlow,
  regression,
  renoise,
  song,
  tcd,
  unet2d,
};

/** One line a plugin: a new one is added here. */
export const allPlugins = [
  gaussiansDataset,
  mnistDataset,
  cifar10Dataset,
  imagesDataset,
  picturesDataset,
  latentsDataset,
  mlp,
  adm,
  song,
  unet2d,
  discrete,
  rectifiedFlow,
  edm,
  gaussianMixture,
  guided,
  fewStep,
  fakeScore,
  edmDenoising,
  distributionMatching,
  fakeScoreLoss,
  ganGenerator,
  ganDiscriminator,
  regression,
  heun,
  ddim,
  ddpm,
  dpm2,
  dpm2Ancestral,
  dpmpp2sAncestral,
  dpmSolver,
  edmAblation,
  euler,
  eulerAncestral,
  lcm,
  lms,
  tcd,
  renoise,
  adamw,
  ema,
  emaConstant,
  emaPower,
  gradientBalance,
  classifierFrechet,
  gaussianModes,
] as const;
