/** What the tests of training share: small experiments on the reference backend. */
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import {
  DATASET_SOURCE,
  LOSSES,
  type Loss,
  type LossContext,
} from "../../../core/interfaces/mod.ts";
import { constant, mean, mul, square } from "../../../core/ops/mod.ts";
import { type AnyPlugin, definePlugin, number, Registry, text } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import {
  mergeConfig,
  type ResolvedConfig,
  Run,
  type RunConfig,
  type RunRequest,
  resolveConfig,
  type TrainEvent,
} from "../../../core/train/mod.ts";
import {
  adamw,
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
  gaussiansDataset,
  heun,
  mlp,
  renoise,
} from "../../../plugins/mod.ts";

/** Points around (±1, 0), the class by the side. */
export const sides = definePlugin({
  name: "sides",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "Two classes of points",
  options: {},
  create: async () => ({
    name: "sides",
    shape: { sample: [2], classes: 2, sigmaData: 1 },
    size: Number.POSITIVE_INFINITY,
    batch(which: number | ArrayLike<number>, random: () => number) {
      const count = which as number;
      const label = Int32Array.from({ length: count }, () => (random() < 0.5 ? 0 : 1));
      const x = Float32Array.from({ length: 2 * count }, (_, i) =>
        i % 2 ? random() - 0.5 : 2 * label[i >> 1] - 1 + 0.2 * random(),
      );
      return { x, label };
    },
  }),
});

/** A loss plugin that computes what the test says; `wrong` losses let tests see how faults are reported. */
export const lossPlugin = (name: string, role: Loss["role"], compute: Loss["compute"]): AnyPlugin =>
  definePlugin({
    name,
    kind: "loss",
    token: LOSSES,
    about: "A loss of a test",
    options: {
      weight: number({ default: 1, min: 0, about: "factor" }),
      note: text({ default: "", about: "any text" }),
    },
    create: ({ weight }): Loss => ({ name, role, weight, compute }),
  });

/** Mean square of the generator's images. */
export const shrink = lossPlugin(
  "shrink",
  "generator",
  ({ generated }: LossContext): Tensor => mean(square(generated.x)),
);
/** Overflows float32 after some updates, whatever the network says. */
export const explode = lossPlugin(
  "explode",
  "generator",
  ({ generated }: LossContext): Tensor => mul(mean(square(generated.x)), constant(1e38)),
);
export const pair = lossPlugin("pair", "generator", ({ generated }) => generated.x);

export const registry = (): Registry =>
  new Registry().register([
    gaussiansDataset,
    sides,
    mlp,
    edm,
    gaussianMixture,
    fewStep,
    fakeScore,
    heun,
    renoise,
    edmDenoising,
    distributionMatching,
    fakeScoreLoss,
    ganGenerator,
    ganDiscriminator,
    adamw,
    ema,
    shrink,
    explode,
    pair,
  ]);

/** DMD2 on eight Gaussians, as small as it can be. */
export const tiny: RunConfig = {
  dataset: { use: "gaussians" },
  network: { use: "mlp", width: 6, depth: 1, bands: 2 },
  teacher: { use: "edm" },
  generator: { use: "few-step", sigmas: [5] },
  critic: { use: "fake-score", headWidth: 4 },
  sampler: { use: "heun", steps: 3, sigmaMax: 5 },
  losses: {
    "edm-denoising": {},
    "distribution-matching": { sigmaMax: 5, levels: 100 },
    "fake-score": { sigmaMax: 5, levels: 100 },
    "gan-generator": { sigmaMax: 5, levels: 100 },
    "gan-discriminator": { sigmaMax: 5, levels: 100 },
  },
  optimizers: {
    teacher: { use: "adamw", lr: 1e-2 },
    generator: { use: "adamw", lr: 1e-3, warmup: 3 },
    critic: { use: "adamw", lr: 1e-3, decay: "cosine" },
  },
  averages: { teacher: { use: "ema", halfLife: 50 }, generator: { use: "ema", halfLife: 20 } },
  train: {
    steps: 8,
    batch: 3,
    ttur: { critic: 3 },
    teacher: { steps: 4, batch: 2 },
    evaluateCount: 10,
  },
};

/** The tiny experiment with changes laid over it. */
export const tinyConfig = (over: unknown = {}): ResolvedConfig =>
  resolveConfig(mergeConfig(tiny, over), registry());

/** A run of the tiny experiment, and the events it has told so far. */
export async function tinyRun(
  over: unknown = {},
  request: Partial<RunRequest> = {},
): Promise<{ run: Run; events: TrainEvent[] }> {
  const run = await Run.create({
    resolved: tinyConfig(over),
    backend: new ReferenceBackend(),
    ...request,
  });
  const events: TrainEvent[] = [];
  run.bus.listen((event) => void events.push(event));
  return { run, events };
}

/** All weights, averages and moments of a run, by state name. */
export async function statesOf(run: Run): Promise<Record<string, number[]>> {
  const { memory } = run.trainer;
  const states: Record<string, number[]> = {};
  for (const name of memory.names())
    if (/^(teacher|generator|critic)\./.test(name)) states[name] = [...(await memory.read(name))];
  return states;
}
