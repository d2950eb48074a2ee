import type { DataShape } from "../../core/interfaces/mod.ts";
import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { latentConsistency } from "../../plugins/methods/latentConsistency.ts";
import { instaflow } from "../../plugins/methods/reflow.ts";
import { pretrained, pretrainedLcm, rates, secondStage, withoutGan } from "./official.ts";

/** Latents of 512 × 512 pixels, with texts and that of an empty one. */
export const sd15Shape: DataShape = {
  sample: [4, 64, 64],
  condition: { text: { shape: [77, 768], dtype: "f32", empty: "stored" } },
  sigmaData: 1,
};

/** 64 GPUs, 32 latents each. */
const DEVICES = 64;

/**
 * Stable Diffusion 1.5 at 512 × 512 pixels, one step, in latents [4, 64, 64]; without GAN: FID 9.28.
 *
 *     onestep train sd15-stage1 --data FOLDER --teacher unet.safetensors
 *
 * The folder holds latents with their text embeddings [N, 77, 768] and that of an empty text: see the dataset `latents`.
 */
export const sd15Stage1: RunConfig = mergeConfig(
  {
    ...pretrained,
    dataset: { use: "latents" },
    network: { use: "unet2d" },
    process: { use: "discrete" },
    teacher: { use: "guided", guidanceScale: 1.75 },
    generator: { use: "few-step", timesteps: [999] },
    sampler: { use: "ddim", steps: 50, offset: 1, endAtFirst: true },
  },
  {
    ...withoutGan,
    method: { ttur: { critic: 10 } },
    optimizers: rates(1e-5, DEVICES),
    train: {
      steps: 40_000,
      batch: 32 * DEVICES,
      accumulate: 4 * DEVICES,
      checkpointing: "blocks",
      checkpointEvery: 500,
      evaluateCount: 16,
    },
  },
);

/** The second stage: from the weights of the first, with the GAN and a smaller rate; FID 8.35. */
export const sd15Stage2: RunConfig = mergeConfig(sd15Stage1, {
  ...secondStage,
  critic: { head: true },
  losses: { "gan-generator": { weight: 1e-3 }, "gan-discriminator": { weight: 1e-2 } },
  optimizers: rates(5e-7, DEVICES),
  train: { steps: 5000 },
});

/**
 * Latent consistency distillation of Stable Diffusion 1.5: one to eight steps, told a guidance scale. The public script, and a batch of
 * 12 as in its README.
 *
 *     onestep train sd15-lcm --data FOLDER --teacher unet.safetensors
 */
export const sd15Lcm: RunConfig = mergeConfig(
  {
    ...pretrainedLcm(latentConsistency),
    dataset: { use: "latents" },
    network: { use: "unet2d", guidanceWidth: 256 },
    process: { use: "discrete" },
    sampler: { use: "ddim", steps: 50, offset: 1, endAtFirst: true },
  },
  { generator: { guidanceScale: 8 }, train: { steps: 1000, batch: 12, accumulate: 12, checkpointing: "blocks" } },
);

/**
 * InstaFlow: Stable Diffusion 1.5 as a rectified flow, straightened once and distilled into one step; the model card's number of
 * updates, with its larger batch.
 *
 *     onestep train sd15-instaflow --data FOLDER --teacher unet.safetensors
 *
 * Every update draws its pairs with 25 steps of the guided teacher: 50 network calls.
 */
export const sd15Instaflow: RunConfig = mergeConfig(
  { ...instaflow, dataset: { use: "latents" }, network: { use: "unet2d" } },
  { train: { batch: 1024, accumulate: 128, checkpointing: "blocks", checkpointEvery: 100, evaluateCount: 16 } },
);
