import type { RunConfig } from "../../core/train/config/config.ts";

/** What a method fixes; dataset, network and the numbers of an experiment are laid over it. */
export type Method = Omit<RunConfig, "dataset" | "network">;

/**
 * DMD2 with a one-step generator, as the official code trains it on ImageNet-64: plugins, weights and rates.
 *   L_G = L_dm + 3e-3 · L_gen,   L_C = L_fake + 1e-2 · L_disc,   5 critic updates a generator update
 * The teacher section trains one from scratch with EDM's settings for small data; a pretrained teacher skips it.
 * Yin et al. 2024, arXiv:2405.14867, appendix F.2.
 */
export const dmd2: Method = {
  teacher: { use: "edm" },
  generator: { use: "few-step", sigmas: [80] },
  critic: { use: "fake-score" },
  sampler: { use: "heun", steps: 18 },
  losses: {
    "edm-denoising": {},
    "distribution-matching": { weight: 1 },
    "fake-score": { weight: 1 },
    "gan-generator": { weight: 3e-3 },
    "gan-discriminator": { weight: 1e-2 },
  },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-3, weightDecay: 0, clip: 0 },
    generator: { use: "adamw", lr: 2e-6, warmup: 500, clip: 10 },
    critic: { use: "adamw", lr: 2e-6, warmup: 500, clip: 10 },
  },
  averages: { teacher: { use: "ema", halfLife: 500_000, rampUp: 0.05 } },
  train: { ttur: { critic: 5, generator: 1 } },
};
