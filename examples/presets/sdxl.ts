import type { DataShape } from "../../core/interfaces/mod.ts";
import { mergeConfig } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/mod.ts";
import { kd } from "../../plugins/methods/knowledgeDistillation.ts";
import { latentConsistencyLora } from "../../plugins/methods/latentConsistency.ts";
import { pretrained, pretrainedLcm, rates, warmUpOn } from "./official.ts";

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

const { dataset, network, process, teacher, sampler } = sdxl4Step;

/**
 * What `sdxl-1step` starts from: regression of the generator's call at timestep 399 on samples of the guided teacher, with texts.
 *
 *     onestep train sdxl-1step-warmup --data FOLDER --teacher unet.safetensors
 *
 * Texts alone are enough. Every update draws its pairs with 50 Euler steps of the teacher: 100 network calls a sample. The official
 * run draws 10,000 pairs beforehand, goes over them 51 times, and measures LPIPS of decoded latents; here no pair comes twice, and
 * it is the mean square of latents. Rate, batch and updates are the official ones.
 */
export const sdxl1StepWarmup: RunConfig = mergeConfig(
  {
    ...kd,
    dataset,
    network,
    process,
    teacher,
    generator: { use: "few-step", timesteps: [399] },
    sampler: { use: "euler", steps: 50, spacing: "trailing", startAtLevel: true },
    averages: {},
    start: { teacher: null },
  },
  {
    method: { teacher: { steps: 0 } },
    losses: { "edm-denoising": false },
    optimizers: { teacher: false, generator: { lr: 1e-5, warmup: warmUpOn(DEVICES), weightDecay: 0.01, clip: 0 } },
    train: {
      seed: 10,
      steps: 2000,
      batch: 4 * DEVICES,
      accumulate: DEVICES,
      checkpointing: "blocks",
      checkpointEvery: 100,
      evaluateCount: 4,
    },
  },
);

/**
 * One step at timestep 399, from a generator that `sdxl-1step-warmup` has prepared: FID 19.01.
 *
 *     onestep train sdxl-1step --data FOLDER --teacher unet.safetensors --set start.generator=runs/sdxl-1step-warmup/generator.safetensors
 */
export const sdxl1Step: RunConfig = mergeConfig(sdxl4Step, {
  start: { generator: null },
  generator: { timesteps: [399] },
  train: { steps: 25_000 },
});

/**
 * LCM-LoRA of SDXL: adapters of rank 64 that make it a latent consistency model of one to eight steps. The public script for adapters.
 *
 *     onestep train sdxl-lcm-lora --data FOLDER --teacher unet.safetensors
 */
export const sdxlLcmLora: RunConfig = mergeConfig(
  { ...pretrainedLcm(latentConsistencyLora), dataset, network, process, sampler },
  { train: { steps: 1000, batch: 12, accumulate: 12, checkpointing: "blocks" } },
);
