import type { DataShape } from "../../core/interfaces/mod.ts";
import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { latentConsistencyLora } from "../../plugins/methods/latentConsistency.ts";
import { pretrained, pretrainedLcm, rates } from "./official.ts";

/** Latents of 1024 × 1024 pixels, with texts, pooled texts and sizes; no text is zeros. */
export const sdxlShape: DataShape = {
  sample: [4, 128, 128],
  condition: {
    text: { shape: [77, 2048], dtype: "f32", empty: "zero" },
    pooled: { shape: [1280], dtype: "f32", empty: "zero" },
    timeIds: { shape: [6], dtype: "f32", empty: "same" },
  },
  sigmaData: 1,
};

/** 64 GPUs, two latents each. */
const DEVICES = 64;

/**
 * SDXL at 1024 × 1024 pixels, four steps by backward simulation, in latents [4, 128, 128]: FID 19.32.
 *
 *     onestep train sdxl-4step --data FOLDER --teacher unet.safetensors
 *
 * The folder holds latents with text [N, 77, 2048], pooled [N, 1280] and time ids: see the dataset `latents`. All samples of
 * a batch train the same step, as in the official code.
 */
export const sdxl4Step: RunConfig = mergeConfig(
  {
    ...pretrained,
    dataset: { use: "latents", unconditional: "zero" },
    network: {
      use: "unet2d",
      channels: [320, 640, 1280],
      downBlocks: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
      upBlocks: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
      heads: [5, 10, 20],
      transformerLayers: [1, 2, 10],
      linearProjection: true,
      timeIdWidth: 256,
    },
    process: { use: "discrete" },
    teacher: { use: "guided", guidanceScale: 8 },
    generator: { use: "few-step", timesteps: [999, 749, 499, 249], drawStep: "batch" },
    sampler: { use: "ddim", steps: 50, offset: 1, endAtFirst: true },
  },
  {
    losses: { "gan-generator": { weight: 5e-3 }, "gan-discriminator": { weight: 1e-2 } },
    optimizers: rates(5e-7, DEVICES),
    train: {
      steps: 20_000,
      batch: 2 * DEVICES,
      accumulate: DEVICES,
      checkpointing: "blocks",
      checkpointEvery: 500,
      evaluateCount: 4,
    },
  },
);

/** The same with adapters of rank 64 in place of the generator's own weights: FID 19.68. */
export const sdxl4StepLora: RunConfig = mergeConfig(sdxl4Step, {
  generator: { lora: { rank: 64, alpha: 8 } },
  optimizers: rates(5e-5, DEVICES),
  train: { steps: 16_000 },
});

/** One step at timestep 399, from a generator that regression on the teacher's samples has prepared: FID 19.01. */
export const sdxl1Step: RunConfig = mergeConfig(sdxl4Step, {
  start: { generator: null },
  generator: { timesteps: [399] },
  train: { steps: 25_000 },
});

const { dataset, network, process, sampler } = sdxl4Step;

/**
 * LCM-LoRA of SDXL: adapters of rank 64 that make it a latent consistency model of one to eight steps. The public script for adapters.
 *
 *     onestep train sdxl-lcm-lora --data FOLDER --teacher unet.safetensors
 */
export const sdxlLcmLora: RunConfig = mergeConfig(
  { ...pretrainedLcm(latentConsistencyLora), dataset, network, process, sampler },
  { train: { steps: 1000, batch: 12, accumulate: 12, checkpointing: "blocks" } },
);
