import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How a parameter starts. `bound` and `deviation` are in the parameter's own units. */
export type Initializer =
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly deviation: number };

export const zeros: Initializer = { kind: "constant", value: 0 };
export const ones: Initializer = { kind: "constant", value: 1 };
export const uniform = (bound: number): Initializer => ({ kind: "uniform", bound });
export const normal = (deviation: number): Initializer => ({ kind: "normal", deviation });

/** PyTorch's default for linear and convolution layers, weight and bias alike: uniform ±1/√fanIn. */
export const fanInUniform = (fanIn: number): Initializer => uniform(1 / Math.sqrt(fanIn));

/** Gives the tensor of a parameter. One source records what a network needs, others hand out trained weights. */
export type ParameterSource = (name: string, shape: Shape, init: Initializer) => Tensor;

/**
 * Where a layer finds its parameters: a source and a prefix. `scope.at("enc").at("block0").parameter("weight", …)` is the
 * parameter `enc.block0.weight`, so a network's code spells the state-dict names of the project its weights come from.
 */
export class Scope {
  readonly #source: ParameterSource;
  readonly #prefix: string;
  constructor(source: ParameterSource, prefix = "") {
    this.#source = source;
    this.#prefix = prefix;
  }

  at(name: string | number): Scope {
    return new Scope(this.#source, `${this.#prefix}${name}.`);
  }
  parameter(name: string, shape: Shape, init: Initializer): Tensor {
    return this.#source(this.#prefix + name, shape, init);
  }
}
