import type { Resolver } from "../../core/di/mod.ts";
import { failure } from "../../core/errors.ts";
import { grad, program, ScalarInputs } from "../../core/graph/mod.ts";
import {
  BACKEND,
  type Backend,
  CACHE,
  classesOf,
  DATA_SHAPE,
  DATASET,
  type Dataset,
  type Executable,
  type Extractor,
  type Pace,
  paceOf,
} from "../../core/interfaces/mod.ts";
import { decodeSafetensors, encodeSafetensors, sha256, toFloat32 } from "../../core/io/mod.ts";
import {
  arenaName,
  BoundParameters,
  conv,
  type FrozenWeights,
  initialise,
  layoutOf,
  linear,
  type ParameterLayout,
  type Scope,
} from "../../core/nn/mod.ts";
import { crossEntropy, input, pack, relu, reshape, state } from "../../core/ops/mod.ts";
import { type AdamScalars, adam, adamScalars } from "../../core/optim/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { hostRandom } from "../../core/random/mod.ts";
import { formatShape, type Tensor } from "../../core/tensor/mod.ts";

const FEATURES = 64;
const BATCH = 128;
const PEAK_RATE = 2e-3;

/**
 * A small classifier of the run's own images, trained on the training set with Adam when it is first asked for: always the
 * same way from the same seed, so that another seed is a second judge that knows nothing of the first.
 *   conv 32, conv 64 stride 2, conv 64 stride 2, linear 64, linear `classes`, ReLU between
 * x [B, C, H, W] → `features` [B, 64], after the ReLU, and `logits` [B, classes].
 */
export const classifier = definePlugin({
  name: "classifier",
  kind: "extractor",
  about: "A small classifier trained on the real images: its features and logits",
  options: {
    epochs: number({ default: 3, above: 0, max: 100, about: "passes over the training set" }),
    seed: number({
      default: 0,
      min: 0,
      integer: true,
      about: "its first weights and the order of its batches follow from it",
    }),
  },
  create({ epochs, seed }, container): Extractor {
    const shape = container.get(DATA_SHAPE);
    const { sample } = shape;
    const classes = classesOf(shape);
    let trained: Promise<FrozenWeights> | undefined;
    return {
      name: "classifier",
      reads: { channels: [sample[0]], smallest: Math.min(...sample.slice(1)) },
      widths: { features: FEATURES, logits: classes },
      bind: (scope) => ({ features: (x) => classify(scope, x, classes) }),
      load: () => (trained ??= cachedOrTrained(container, { epochs, seed })),
    };
  },
});

function classify(scope: Scope, x: Tensor, classes: number): Record<"features" | "logits", Tensor> {
  let h = relu(conv(scope.at("c.0"), x, 32));
  h = relu(conv(scope.at("c.1"), h, 64, { stride: 2 }));
  h = relu(conv(scope.at("c.2"), h, 64, { stride: 2 }));
  const features = relu(linear(scope.at("l"), reshape(h, [h.shape[0], -1]), FEATURES));
  return { features, logits: linear(scope.at("o"), features, classes) };
}

/** One-cycle learning rate: cosine up over the first 30 %, cosine down to nearly 0 (Smith & Topin 2017). */
function oneCycle(step: number, steps: number): number {
  const rise = 0.3 * steps;
  const share = step < rise ? step / rise : (steps - step) / (steps - rise);
  return PEAK_RATE * (0.04 + 0.96 * (0.5 - 0.5 * Math.cos(Math.PI * share)));
}

interface Training {
  readonly epochs: number;
  readonly seed: number;
}

/** Changed whenever the same data and options give other weights. */
const RECIPE = 1;

/** What an earlier run has trained on the same data, in the same way and on the same device; else trained now and kept. */
async function cachedOrTrained(container: Resolver, training: Training): Promise<FrozenWeights> {
  const [backend, dataset] = [container.get(BACKEND), container.get(DATASET)];
  const layout = checkedLayout(dataset);
  const cache = container.has(CACHE) ? container.get(CACHE) : undefined;
  const fingerprint = cache && (await dataset.fingerprint?.());
  const { backend: kind, name, software } = backend.info;
  const key = fingerprint && (await hashOf([RECIPE, fingerprint, dataset.shape, training, kind, name, software]));
  const file = `classifier-${key}.safetensors`;
  const kept = key && (await cache!.read(file));
  const found = kept && weightsIn(kept, file, layout);
  if (found) return found;
  const trained = await train(backend, dataset, layout, training, paceOf(container));
  const [data] = trained.arenas;
  if (key) await cache!.write(file, encodeSafetensors({ weights: { dtype: "F32", shape: [data.length], data } }));
  return trained;
}

const hashOf = (parts: readonly unknown[]) => sha256(new TextEncoder().encode(JSON.stringify(parts)));

/** Weights out of a file of the cache; undefined when they are not what should be there. */
function weightsIn(bytes: Uint8Array, file: string, layout: ParameterLayout): FrozenWeights | undefined {
  try {
    const { weights } = decodeSafetensors(bytes, file).tensors;
    const arena = weights && toFloat32(weights);
    const isWhole = arena?.length === layout.arenas[0] && arena.every(Number.isFinite);
    return isWhole ? { name: "classifier", layout, arenas: [arena] } : undefined;
  } catch {
    return undefined;
  }
}

/** @throws E_CONFIG for data that no classifier can be trained on */
function checkedLayout(dataset: Dataset): ParameterLayout {
  const { sample } = dataset.shape;
  const classes = classesOf(dataset.shape);
  if (classes === 0 || sample.length !== 3 || !Number.isFinite(dataset.size))
    throw failure(
      "E_CONFIG",
      `Cannot train a classifier on ${dataset.name}: it has ${dataset.size} samples ${formatShape(sample)} of ${classes} classes, expected a stored set of labelled images`,
    );
  return layoutOf((scope) => classify(scope, input("x", [1, ...sample]), classes));
}

async function train(
  backend: Backend,
  dataset: Dataset,
  layout: ParameterLayout,
  { epochs, seed }: Training,
  pace: Pace,
): Promise<FrozenWeights> {
  const { sample } = dataset.shape;
  const classes = classesOf(dataset.shape);
  const [size] = layout.arenas;
  const memory = backend.createMemory();
  const flat = (part: string) => {
    const name = arenaName(part, 0);
    memory.allocate(name, size);
    return state(name, [size]);
  };
  const [weights, moment1, moment2] = ["weights", "moment1", "moment2"].map(flat);
  memory.write(arenaName("weights", 0), initialise(layout, seed)[0]);

  const bound = new BoundParameters("weights", layout);
  const { logits } = classify(bound.scope, input("x", [BATCH, ...sample]), classes);
  const loss = crossEntropy(logits, input("label", [BATCH], "i32"));
  const gradient = pack(
    grad(loss, bound.tensors),
    layout.entries.map(({ offset }) => offset),
    size,
  );
  const scalars = new ScalarInputs();
  const numbers = scalars.named as AdamScalars<Tensor>;
  const next = adam({ weights, gradient, moment1, moment2, scalars: numbers });
  const update = program({
    name: "classifier update",
    outputs: { loss },
    updates: [
      [weights, next.weights],
      [moment1, next.moment1],
      [moment2, next.moment2],
    ],
  });
  let run: Executable | undefined;
  try {
    run = await backend.compile(update, memory);
    const steps = Math.floor((epochs * dataset.size) / BATCH);
    for (let step = 0; step < steps; step++) {
      await pace("training the judge", step, steps, "updates");
      const { x, condition } = await dataset.batch(BATCH, hostRandom(seed, step, 7));
      const rates = scalars.encode(adamScalars(step, oneCycle(step, steps)));
      await run.run({ x, label: condition.label, scalars: rates });
    }
    const trained = (await memory.read(arenaName("weights", 0))) as Float32Array;
    return { name: "classifier", layout, arenas: [trained] };
  } finally {
    run?.dispose();
    memory.dispose();
  }
}
