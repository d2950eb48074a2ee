/** Values and plugins for programs outside a run: weights as inputs, given draws, and one evaluation. */
import { Container } from "../../core/di/mod.ts";
import { NoiseSource } from "../../core/diffusion/mod.ts";
import { program } from "../../core/graph/mod.ts";
import type { Backend, Condition, DataShape, HostArray } from "../../core/interfaces/mod.ts";
import {
  type FrozenWeights,
  initialise,
  layoutOf,
  Scope,
  storeFrozen,
  unpackArenas,
} from "../../core/nn/mod.ts";
import { input } from "../../core/ops/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { keyOf } from "../../core/random/philox.ts";
import type { Shape } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import { provideShape } from "../../core/train/mod.ts";

/** Plugins over data of a shape. */
export function compose(shape: DataShape, ...plugins: ConfiguredPlugin[]): Container {
  const container = new Container();
  for (const plugin of plugins) plugin.install(container);
  provideShape(container, shape, "the caller");
  return container;
}

/** Numbers of any array. */
export type Numbers = ArrayLike<number>;

/** Values of a program's inputs, filled while it is traced. */
export class Feed {
  readonly values: Record<string, HostArray> = {};

  /** An input with its value. */
  tensor(name: string, shape: Shape, data: Numbers, dtype: "f32" | "i32" = "f32"): Tensor {
    this.values[name] = dtype === "i32" ? Int32Array.from(data) : Float32Array.from(data);
    return input(name, shape, dtype);
  }
  label(name: string, labels: Numbers): Condition {
    return { label: this.tensor(name, [labels.length], labels, "i32") };
  }
  /** Draws by seed, as in a run. */
  noise(seed = 0): NoiseSource {
    return new NoiseSource(this.tensor("key", [3], keyOf(seed, 0), "i32"));
  }
  /** Parameters with given values; asked for again they are the same tensors. */
  weights(prefix: string, values: (name: string, shape: Shape) => Numbers): Weights {
    return new Weights(this, prefix, values);
  }
  /** Parameters as a run would start them. */
  fresh(prefix: string, declare: (scope: Scope) => void, seed = 0): Weights {
    const layout = layoutOf(declare);
    const values = unpackArenas(layout, initialise(layout, seed));
    return this.weights(prefix, (name) => values[name].data);
  }
}

/** Parameters as inputs. */
export class Weights {
  readonly tensors = new Map<string, Tensor>();
  readonly scope: Scope;
  constructor(feed: Feed, prefix: string, values: (name: string, shape: Shape) => Numbers) {
    this.scope = new Scope((name, shape) => {
      const known = this.tensors.get(name);
      if (known) return known;
      const made = feed.tensor(`${prefix}${name}`, shape, values(name, shape));
      this.tensors.set(name, made);
      return made;
    });
  }
}

/** Draws that a reference made, handed out in order. */
export class GivenNoise extends NoiseSource {
  readonly #normals: Tensor[];
  readonly #integers: Tensor[];
  constructor(normals: Tensor[], integers: Tensor[] = []) {
    super(input("unused key", [3], "i32"));
    this.#normals = [...normals];
    this.#integers = [...integers];
  }
  override normal(_shape: Shape): Tensor {
    return this.#normals.shift()!;
  }
  override integers(_count: number, _low: number, _high: number): Tensor {
    return this.#integers.shift()!;
  }
  override commonInteger(low: number, high: number): Tensor {
    return this.integers(1, low, high);
  }
}

/** The outputs, computed on a backend; `frozen` are the weights of frozen networks among them. */
export async function evaluateOn<T extends Record<string, Tensor>>(
  backend: Backend,
  outputs: T,
  feed: Feed,
  frozen: readonly FrozenWeights[] = [],
): Promise<Record<keyof T, Float32Array>> {
  const memory = backend.createMemory();
  for (const weights of frozen) storeFrozen(memory, weights);
  const run = await backend.compile(program({ name: "evaluation", outputs }), memory);
  await run.run(feed.values);
  const read: Record<string, unknown> = {};
  for (const name of Object.keys(outputs)) read[name] = await run.read(name);
  run.dispose();
  memory.dispose();
  return read as Record<keyof T, Float32Array>;
}

/** Class indices of one-hot rows. */
export const labelsOf = (rows: Numbers, classes: number): number[] =>
  Array.from({ length: rows.length / classes }, (_, b) =>
    Array.from({ length: classes }, (_, k) => rows[b * classes + k]).indexOf(1),
  );
