import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { pretrained, rates, secondStage, withoutGan } from "./official.ts";

/** Seven GPUs, 40 images each. */
const DEVICES = 7;

/**
 * ImageNet by class at 64 × 64 pixels, EDM's ADM teacher of 295.9 million parameters, one step: FID 1.51 in the paper.
 *
 *     onestep train imagenet64 --data FOLDER --teacher edm-imagenet-64x64-cond-adm.safetensors
 *
 * The folder holds safetensors files with `x` U8 [N, 3, 64, 64] and `label` I64 [N].
 */
export const imagenet64: RunConfig = mergeConfig(
  {
    ...pretrained,
    dataset: { use: "images", classes: 1000 },
    network: { use: "adm" },
  },
  {
    sampler: { steps: 256 },
    optimizers: rates(2e-6, DEVICES),
    train: { steps: 200_000, batch: 40 * DEVICES, accumulate: DEVICES, checkpointEvery: 500 },
  },
);

/** The first stage of the longer training: no GAN; FID 2.61. */
export const imagenet64NoGan: RunConfig = mergeConfig(imagenet64, {
  ...withoutGan,
  train: { steps: 400_000 },
});

/**
 * The second: from the weights of the first, with a fresh discriminator; FID 1.28.
 *
 *     onestep train imagenet64-longer --data FOLDER --teacher FILE \
 *       --set start.generator=STAGE1/generator.safetensors --set start.critic=STAGE1/critic.safetensors
 */
export const imagenet64Longer: RunConfig = mergeConfig(imagenet64, {
  ...secondStage,
  optimizers: rates(5e-7, DEVICES),
  train: { steps: 150_000 },
});
