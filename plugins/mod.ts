/** Every plugin that comes with onestep: a new one is a line here. Methods bring their recipes along. */

export { klAutoencoder } from "./autoencoders/kl.ts";
export { tinyAutoencoder } from "./autoencoders/tiny.ts";
export { ema } from "./averages/ema.ts";
export { emaConstant } from "./averages/emaConstant.ts";
export { emaPower } from "./averages/emaPower.ts";
export { gradientBalance } from "./balancers/gradientBalance.ts";
export { discriminatorCritic } from "./critics/discriminator.ts";
export { fakeScore } from "./critics/fakeScore.ts";
export { cifar10Dataset } from "./datasets/cifar10.ts";
export { cocoDataset } from "./datasets/coco.ts";
export { edmZipDataset } from "./datasets/edmZip.ts";
export { gaussiansDataset } from "./datasets/gaussians.ts";
export { imagesDataset } from "./datasets/images.ts";
export { latentsDataset } from "./datasets/latents.ts";
export { mnistDataset } from "./datasets/mnist.ts";
export { npzDataset } from "./datasets/npz.ts";
export { picturesDataset } from "./datasets/pictures.ts";
export { webdatasetDataset } from "./datasets/webdataset.ts";
export { clipTextEncoder } from "./encoders/clipText.ts";
export { classifier } from "./extractors/classifier.ts";
export { clipVisionExtractor } from "./extractors/clipVision.ts";
export { dinov2Extractor } from "./extractors/dinov2.ts";
export { inception } from "./extractors/inception.ts";
export { vgg16 } from "./extractors/vgg16.ts";
export { consistencyGenerator } from "./generators/consistency.ts";
export { fewStep } from "./generators/fewStep.ts";
export { latentConsistencyGenerator } from "./generators/latentConsistency.ts";
export { consistencyDistillation } from "./losses/consistencyDistillation.ts";
export { distributionMatching } from "./losses/distributionMatching.ts";
export { edmDenoising } from "./losses/edmDenoising.ts";
export { fakeScoreLoss } from "./losses/fakeScore.ts";
export { ganDiscriminator } from "./losses/ganDiscriminator.ts";
export { ganGenerator } from "./losses/ganGenerator.ts";
export { guidedDistillationLoss } from "./losses/guidedDistillation.ts";
export { latentConsistencyLoss } from "./losses/latentConsistency.ts";
export { progressiveLoss } from "./losses/progressive.ts";
export { regression } from "./losses/regression.ts";
export { tractLoss } from "./losses/tract.ts";
export { consistency, consistencyMethod } from "./methods/consistency.ts";
export { dmd, dmd2, dmd2Method } from "./methods/dmd2.ts";
export { guidedDistillation, guidedDistillationMethod } from "./methods/guidedDistillation.ts";
export { latentConsistency, latentConsistencyLora } from "./methods/latentConsistency.ts";
export { progressive, progressiveMethod } from "./methods/progressive.ts";
export { tract, tractMethod } from "./methods/tract.ts";
export { classifierFrechet } from "./metrics/classifierFrechet.ts";
export { clipScore } from "./metrics/clipScore.ts";
export { cmmd } from "./metrics/cmmd.ts";
export { fdDinov2 } from "./metrics/fdDinov2.ts";
export { featureDiversity } from "./metrics/featureDiversity.ts";
export { fid } from "./metrics/fid.ts";
export { gaussianModes } from "./metrics/gaussianModes.ts";
export { inceptionScore } from "./metrics/inceptionScore.ts";
export { kid } from "./metrics/kid.ts";
export { lpipsDiversity } from "./metrics/lpipsDiversity.ts";
export { mind } from "./metrics/mind.ts";
export { patchDistance } from "./metrics/patchDistance.ts";
export { patchFid } from "./metrics/patchFid.ts";
export { precisionRecall } from "./metrics/precisionRecall.ts";
export { sfid } from "./metrics/sfid.ts";
export { brightness } from "./monitors/brightness.ts";
export { collapse } from "./monitors/collapse.ts";
export { criticLag } from "./monitors/criticLag.ts";
export { discriminator } from "./monitors/discriminator.ts";
export { diversity } from "./monitors/diversity.ts";
export { gradients } from "./monitors/gradients.ts";
export { losses } from "./monitors/losses.ts";
export { oscillation } from "./monitors/oscillation.ts";
export { saturation } from "./monitors/saturation.ts";
export { weights } from "./monitors/weights.ts";
export { adm } from "./networks/adm.ts";
export { dit } from "./networks/dit.ts";
export { mlp } from "./networks/mlp.ts";
export { song } from "./networks/song.ts";
export { unet2d } from "./networks/unet2d.ts";
export { adamw } from "./optimizers/adamw.ts";
export { ditPipeline } from "./pipelines/dit.ts";
export { sd15 } from "./pipelines/sd15.ts";
export { sdxl } from "./pipelines/sdxl.ts";
export {
  type Generated,
  type GenerateProgress,
  type GenerateRequest,
  type LoraWish,
  type OpenedPipeline,
  type OpenPipelineOptions,
  openPipeline,
} from "./pipelines/textToImage.ts";
export { discrete } from "./processes/discrete.ts";
export { rectifiedFlow } from "./processes/rectifiedFlow.ts";
export { ddim } from "./samplers/ddim.ts";
export { ddpm } from "./samplers/ddpm.ts";
export { dpm2 } from "./samplers/dpm2.ts";
export { dpm2Ancestral } from "./samplers/dpm2Ancestral.ts";
export { dpmpp2sAncestral } from "./samplers/dpmpp2sAncestral.ts";
export { dpmSolver } from "./samplers/dpmSolver.ts";
export { edmAblation } from "./samplers/edmAblation.ts";
export { euler } from "./samplers/euler.ts";
export { eulerAncestral } from "./samplers/eulerAncestral.ts";
export { heun } from "./samplers/heun.ts";
export { lcm } from "./samplers/lcm.ts";
export { lms } from "./samplers/lms.ts";
export { pndm } from "./samplers/pndm.ts";
export { renoise } from "./samplers/renoise.ts";
export { tcd } from "./samplers/tcd.ts";
export { edm } from "./teachers/edm.ts";
export { gaussianMixture } from "./teachers/gaussianMixture.ts";
export { guided } from "./teachers/guided.ts";
