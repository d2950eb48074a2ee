import { grad, program } from "../../../core/graph/mod.ts";
import type { Backend, Executable, Memory } from "../../../core/interfaces/backend.ts";
import { classesOf, type Dataset } from "../../../core/interfaces/dataset.ts";
import { conv, linear, type Scope } from "../../../core/nn/mod.ts";
import { arenaName, BoundParameters, initialise, layoutOf } from "../../../core/nn/parameters.ts";
import { crossEntropy, input, pack, relu, reshape, state } from "../../../core/ops/mod.ts";
import { type AdamScalars, adam, adamScalars } from "../../../core/optim/adam.ts";
import { hostRandom } from "../../../core/random/hostRandom.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { ScalarInputs } from "../../../core/train/update/scalarInputs.ts";

/** Width of the features that the Fréchet distance compares. */
export const FEATURES = 64;
const BATCH = 128;
const EVALUATION_BATCH = 500;
const PEAK_RATE = 2e-3;
const OWNER = "classifier";

/**
 * conv 32, conv 64 stride 2, conv 64 stride 2, linear 64, linear `classes`, ReLU between.
 * x [B, C, H, W] → features [B, 64] (after ReLU) and logits [B, classes].
 */
function classify(scope: Scope, x: Tensor, classes: number): { features: Tensor; logits: Tensor } {
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

/** A small classifier trained on the real training set, the judge of generated images. */
export class ImageClassifier {
  readonly #classes: number;
  readonly #size: number;
  readonly #memory: Memory;
  readonly #judge: Executable;

  private constructor(classes: number, size: number, memory: Memory, judge: Executable) {
    this.#classes = classes;
    this.#size = size;
    this.#memory = memory;
    this.#judge = judge;
  }

  /** Trains for `epochs` passes over the data with Adam. */
  static async train(backend: Backend, dataset: Dataset, epochs: number): Promise<ImageClassifier> {
    const { sample } = dataset.shape;
    const classes = classesOf(dataset.shape);
    const layout = layoutOf((scope) => classify(scope, input("x", [1, ...sample]), classes));
    const memory = backend.createMemory();
    const [size] = layout.arenas;
    const names = ["weights", "moment1", "moment2"].map((part) => arenaName(`${OWNER}.${part}`, 0));
    for (const name of names) memory.allocate(name, size);
    memory.write(names[0], initialise(layout, 0)[0]);

    const bound = new BoundParameters(`${OWNER}.weights`, layout);
    const x = input("x", [BATCH, ...sample]);
    const loss = crossEntropy(
      classify(bound.scope, x, classes).logits,
      input("label", [BATCH], "i32"),
    );
    const gradient = pack(
      grad(loss, bound.tensors),
      layout.entries.map((entry) => entry.offset),
      size,
    );
    const [weights, moment1, moment2] = names.map((name) => state(name, [size]));
    const scalars = new ScalarInputs();
    const numbers = scalars.named as AdamScalars<Tensor>;
    const next = adam({ weights, gradient, moment1, moment2, scalars: numbers });
    const update = await backend.compile(
      program({
        name: "classifier update",
        outputs: { loss },
        updates: [
          [weights, next.weights],
          [moment1, next.moment1],
          [moment2, next.moment2],
        ],
      }),
      memory,
    );
    const steps = Math.floor((epochs * dataset.size) / BATCH);
    for (let step = 0; step < steps; step++) {
      const batch = await dataset.batch(BATCH, hostRandom(0, step, 7));
      await update.run({
        x: batch.x,
        label: batch.condition.label,
        scalars: scalars.encode(adamScalars(step, oneCycle(step, steps))),
      });
    }
    update.dispose();

    const shown = input("x", [EVALUATION_BATCH, ...sample]);
    const outputs = classify(bound.scope, shown, classes);
    const judge = await backend.compile(
      program({ name: "classifier", outputs: { ...outputs } }),
      memory,
    );
    return new ImageClassifier(
      classes,
      sample.reduce((a, b) => a * b, 1),
      memory,
      judge,
    );
  }

  /** Features [n, 64] and logits [n, classes] of images clamped to [-1, 1]. */
  async look(x: Float32Array): Promise<{ features: Float32Array; logits: Float32Array }> {
    const count = x.length / this.#size;
    const features = new Float32Array(count * FEATURES);
    const logits = new Float32Array(count * this.#classes);
    for (let first = 0; first < count; first += EVALUATION_BATCH) {
      const shown = new Float32Array(EVALUATION_BATCH * this.#size);
      shown.set(x.subarray(first * this.#size, (first + EVALUATION_BATCH) * this.#size));
      for (let i = 0; i < shown.length; i++) shown[i] = Math.min(1, Math.max(-1, shown[i]));
      await this.#judge.run({ x: shown });
      const taken = Math.min(EVALUATION_BATCH, count - first);
      const [f, l] = await Promise.all([this.#judge.read("features"), this.#judge.read("logits")]);
      features.set(f.subarray(0, taken * FEATURES), first * FEATURES);
      logits.set(l.subarray(0, taken * this.#classes), first * this.#classes);
    }
    return { features, logits };
  }

  dispose(): void {
    this.#judge.dispose();
    this.#memory.dispose();
  }
}
