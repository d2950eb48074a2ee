import { mergeConfig, type RunConfig } from "../../core/train/mod.ts";
import { dmd2 } from "../../plugins/mod.ts";

/** One way to train, by what it changes in the base. */
export interface Arm {
  readonly question: string;
  readonly name: string;
  readonly over: object;
}

/** Modes that a wrong teacher believes half a radius further out. */
const displaced = [0, 3];
const levels = { sigmaMax: 10 };

/**
 * Eight Gaussians with their exact denoiser as the teacher, and an MLP of a few thousand parameters that has learned it for
 * a moment, as every generator starts from its teacher. Constant rates and no average: what is seen are the weights.
 */
export const base: RunConfig = mergeConfig(
  { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp", width: 64, depth: 3 } },
  {
    teacher: { use: "gaussian-mixture" },
    generator: { sigmas: [10] },
    critic: { headWidth: 64 },
    losses: {
      "edm-denoising": false,
      "distribution-matching": levels,
      "fake-score": levels,
      "gan-generator": false,
      "gan-discriminator": false,
    },
    optimizers: {
      teacher: { lr: 2e-3, warmup: 50, decay: "cosine" },
      generator: { lr: 5e-4, warmup: 50 },
      critic: { lr: 1e-3, warmup: 50 },
    },
    averages: { teacher: false, generator: false },
    metrics: { "gaussian-modes": {} },
    method: { teacher: { steps: 1500, batch: 256 } },
    train: { steps: 4000, batch: 128 },
  },
);

/** Laid over the base, what trains the network that generator and critic start from: on what the teacher believes. */
export const beginning = (arm: Arm): object => {
  const { teacher = {} } = arm.over as { teacher?: object };
  return {
    teacher: { use: "edm" },
    dataset: teacher,
    losses: { "edm-denoising": {} },
    generator: undefined,
    critic: undefined,
  };
};

const gan = (weight: number) => ({
  "gan-generator": { ...levels, weight, sigmaMax: 10 },
  "gan-discriminator": { ...levels, weight: 0.03, sigmaMax: 10 },
});

/** What the second and third step are trained on: what the steps before them make, or real samples with noise. */
const threeSteps = (question: string, ring: { modes: number }): readonly Arm[] =>
  [
    { name: "backward simulation", generator: { inputs: "simulated" } },
    {
      name: "the same, critic knows the step",
      generator: { inputs: "simulated", drawStep: "place" },
      critic: { rung: true },
    },
    {
      name: "the same, with a GAN",
      generator: { inputs: "simulated", drawStep: "place" },
      critic: { rung: true },
      losses: gan(0.03),
    },
    { name: "noised real samples", generator: { inputs: "real" } },
  ].map(({ name, generator, ...others }) => ({
    question,
    name,
    over: { dataset: ring, teacher: ring, generator: { sigmas: [10, 2, 0.5], ...generator }, ...others },
  }));

/** The questions of the paper's ablations that the plane can answer (Yin et al. 2024, arXiv:2405.14867, Tables 3 and 4). */
export const arms: readonly Arm[] = [
  {
    question: "TTUR",
    name: "5 : 1",
    over: { method: { ttur: { critic: 5, generator: 1 } } },
  },
  {
    question: "TTUR",
    name: "1 : 1, as many generator updates",
    over: { method: { ttur: { critic: 1, generator: 1 } }, train: { steps: 800 } },
  },
  {
    question: "TTUR",
    name: "1 : 1, as many critic updates",
    over: { method: { ttur: { critic: 1, generator: 1 } } },
  },
  {
    question: "GAN on a wrong teacher",
    name: "without",
    over: { teacher: { displaced } },
  },
  {
    question: "GAN on a wrong teacher",
    name: "with",
    over: { teacher: { displaced }, losses: gan(0.3) },
  },
  ...threeSteps("three steps, 3 modes", { modes: 3 }),
  ...threeSteps("three steps, 8 modes", { modes: 8 }),
];
