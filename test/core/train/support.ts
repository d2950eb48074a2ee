/** What the tests of training share: small experiments on the reference backend. */
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import {
  classLabel,
  DATASET,
  DATASET_SOURCE,
  LOSSES,
  type Loss,
  type LossContext,
  type Stage,
} from "../../../core/interfaces/mod.ts";
import { constant, mean, mul, square } from "../../../core/ops/mod.ts";
import { type AnyPlugin, definePlugin, number, Registry, text } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import {
  composeRun,
  EventBus,
  mergeConfig,
  type ResolvedConfig,
  Run,
  type RunConfig,
  type RunRequest,
  resolveConfig,
  type TrainEvent,
  Trainer,
} from "../../../core/train/mod.ts";
import {
  adamw,
  distributionMatching,
  dmd2Method,
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
    shape: { sample: [2], condition: classLabel(2), sigmaData: 1 },
    size: Number.POSITIVE_INFINITY,
    batch(which: number | ArrayLike<number>, random: () => number) {
      const count = which as number;
      const label = Int32Array.from({ length: count }, () => (random() < 0.5 ? 0 : 1));
      const x = Float32Array.from({ length: 2 * count }, (_, i) =>
        i % 2 ? random() - 0.5 : 2 * label[i >> 1] - 1 + 0.2 * random(),
      );
      return { x, condition: { label } };
    },
  }),
});

/** Noise in the shape of small images of two classes. */
export const noiseImages = definePlugin({
  name: "noise-images",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "Noise in the shape of small images",
  options: {},
  create: async () => ({
    name: "noise-images",
    shape: { sample: [1, 8, 8], condition: classLabel(2), sigmaData: 0.5 },
    size: Number.POSITIVE_INFINITY,
    batch(which: number | ArrayLike<number>, random: () => number) {
      const count = typeof which === "number" ? which : which.length;
      const label = Int32Array.from({ length: count }, (_, i) => i % 2);
      const x = Float32Array.from({ length: 64 * count }, () => random() - 0.5);
      return { x, condition: { label } };
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
    dmd2Method,
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
  method: { use: "dmd2", ttur: { critic: 3 }, teacher: { steps: 4, batch: 2 } },
  train: { steps: 8, batch: 3, evaluateCount: 10 },
};

/** The tiny experiment with changes laid over it. */
export const tinyConfig = (over: unknown = {}): ResolvedConfig => resolveConfig(mergeConfig(tiny, over), registry());

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

/** The trainer of the tiny experiment, its container and the events it has told so far. */
export async function tinyTrainer(over: unknown = {}) {
  const resolved = tinyConfig(over);
  const backend = new ReferenceBackend();
  const container = await composeRun(resolved, backend, {});
  const bus = new EventBus();
  const events: TrainEvent[] = [];
  bus.listen((event) => void events.push(event));
  const trainer = new Trainer(container, backend, container.get(DATASET), bus, resolved.settings);
  return { trainer, container, backend, bus, events };
}

/** A stage of a trainer's method by its name. */
export const stageOf = ({ method }: Trainer, name: string): Stage =>
  method.stages.find((stage) => stage.name === name)!;

/** Gives every role the weights that it begins with, as if the stages before the last had no steps. */
export async function beginAll(trainer: Trainer): Promise<void> {
  for (const stage of trainer.method.stages) await trainer.begin(stage);
}

/** Every reading of every update of a bus, by role and name; to be awaited at the end. */
export function lossesOn(bus: EventBus): () => Promise<Record<string, number[]>> {
  const told = new Map<string, Promise<number>[]>();
  bus.on("role/updated", ({ role, losses }) => {
    for (const [name, scalar] of Object.entries(losses)) {
      const key = `${role} ${name}`;
      told.set(key, [...(told.get(key) ?? []), scalar.read()]);
    }
  });
  return async () => {
    const read = [...told].map(async ([key, values]) => [key, await Promise.all(values)] as const);
    return Object.fromEntries(await Promise.all(read));
  };
}

/** All weights, averages and moments of a run, by state name. */
export async function statesOf(run: Run): Promise<Record<string, number[]>> {
  const { memory, players } = run.trainer;
  const states: Record<string, number[]> = {};
  const roles = Object.keys(players);
  for (const name of memory.names())
    if (roles.includes(name.split(".")[0])) states[name] = [...(await memory.read(name))];
  return states;
}
