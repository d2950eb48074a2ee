import type { Profile } from "./profile.ts";

const game = {
  diffused: true,
  maxStep: 1,
  noise: "own",
  objective: "softplus",
  features: "critic",
};
const optimizer = {
  use: "adamw",
  beta1: 0.9,
  beta2: 0.999,
  eps: 1e-8,
  weightDecay: 0.01,
  clip: 10,
};

/** What the official code and the paper have in common. Yin et al. 2024, DMD2, arXiv:2405.14867, appendix F. */
export const common: Profile["config"] = {
  generator: { inputs: "simulated" },
  losses: {
    "distribution-matching": {
      weight: 1,
      minStep: 0.02,
      maxStep: 0.98,
      normalise: "sample",
      epsilon: 0,
    },
    "fake-score": { weight: 1, target: "network" },
    "gan-generator": { weight: 3e-3, ...game },
    "gan-discriminator": { weight: 1e-2, ...game, r1: 0 },
  },
  optimizers: {
    generator: { ...optimizer, clipApart: [] },
    critic: { ...optimizer, clipApart: [] },
  },
  averages: { generator: false },
  method: { ttur: { critic: 5, generator: 1, exclusive: false }, criticImages: "shared" },
};

/**
 * The official code for ImageNet-64, as released: the discriminator reads the last encoder block of the trained critic, all
 * samples of a batch train the same step, nothing is averaged.
 */
export const dmd2Code: Profile = {
  name: "dmd2-code",
  about: "the official code: one step per batch, encoder features, no average",
  method: "dmd2",
  config: {
    ...common,
    generator: { inputs: "simulated", drawStep: "batch" },
    critic: { tap: "encoder" },
  },
  without: ["warm-up in ticks of all devices together; set optimizers.*.warmup for one device"],
};
