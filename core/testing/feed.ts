import { NoiseSource } from "../diffusion/noiseSource.ts";
import type { Condition, HostArray } from "../interfaces/mod.ts";
import { initialise, layoutOf, Scope, unpackArenas } from "../nn/mod.ts";
import { input } from "../ops/mod.ts";
import { keyOf } from "../random/philox.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

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
  /** A condition with these labels, one per sample. */
  label(name: string, labels: Numbers): Condition {
    return { label: this.tensor(name, [labels.length], labels, "i32") };
  }
  /** Draws by seed, as in a run. */
  noise(seed = 0, step = 0): NoiseSource {
    return new NoiseSource(this.tensor("key", [3], keyOf(seed, step), "i32"));
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
  readonly tensors: Map<string, Tensor> = new Map();
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
