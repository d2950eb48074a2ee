import type { Shape } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** How a parameter starts. `bound` and `deviation` are in the parameter's own units. */
export type Initializer = (
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "uniform"; readonly bound: number }
  | { readonly kind: "normal"; readonly deviation: number }
) & {
  /** Stays as it starts or is loaded: a buffer of the state dict, which no optimiser moves. See `frozen`. */
  readonly frozen?: true;
};

/** Starts with zeros. */
export const zeros: Initializer = { kind: "constant", value: 0 };
/** Starts with ones. */
export const ones: Initializer = { kind: "constant", value: 1 };
/** Starts uniform in [-bound, bound). */
export const uniform = (bound: number): Initializer => ({ kind: "uniform", bound });
/** Starts normal around 0 with this deviation. */
export const normal = (deviation: number): Initializer => ({ kind: "normal", deviation });

/** PyTorch's default for linear and convolution layers, weight and bias alike: uniform ±1/√fanIn. */
export const fanInUniform = (fanIn: number): Initializer => uniform(1 / Math.sqrt(fanIn));

/** ±√(6/(fanIn + fanOut)), Xavier's uniform distribution (Glorot & Bengio 2010), times `gain`. */
export const xavierUniform = (fanIn: number, fanOut: number, gain = 1): Initializer =>
  uniform(gain * Math.sqrt(6 / (fanIn + fanOut)));

/**
 * For what is drawn once and kept, such as the frequencies of a Fourier embedding: stored among the parameters under its
 * state-dict name, but laid out apart, so that neither gradient nor weight decay reaches it.
 */
export const frozen = (init: Initializer): Initializer => ({ ...init, frozen: true });

/** How weight and bias of a layer start, from the number of inputs and outputs of a unit (kernel area included). */
export type LayerStart = (
  fanIn: number,
  fanOut: number,
) => { readonly weight: Initializer; readonly bias: Initializer };

/** One start for both, or by the rule; PyTorch's default without either. */
export function startOf(
  init: Initializer | LayerStart | undefined,
  fanIn: number,
  fanOut: number,
): ReturnType<LayerStart> {
  if (typeof init === "function") return init(fanIn, fanOut);
  const both = init ?? fanInUniform(fanIn);
  return { weight: both, bias: both };
}

/** A tensor of a state dict that follows from a network's options. */
export interface DerivedTensor {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}

/** Gives the tensor of a parameter. One source records what a network needs, others hand out trained weights. */
export type ParameterSource = (name: string, shape: Shape, init: Initializer) => Tensor;

/** A low-rank path beside the layers it names (see `lora.ts`). */
export interface LowRank {
  /** Channels of the path, from 1 up. */
  readonly rank: number;
  /** The path's output counts alpha/rank times. */
  readonly alpha: number;
  /** Ends of the names of the layers that get one, whole words: "to_q" is "attn1.to_q", not "into_q". */
  readonly targets: readonly string[];
}

/** What a scope knows besides where parameters come from. */
export interface ScopeExtras {
  /** Hears of every derived tensor; only who lays parameters out wants to know. */
  readonly derive?: (tensor: DerivedTensor) => void;
  readonly lowRank?: LowRank;
  /** What a network over this scope is kept in; f32 where absent. */
  readonly storage?: Storage;
  /** Where the parameters below low-rank paths come from; the scope's own source where absent. */
  readonly base?: ParameterSource;
}

/**
 * Where a layer finds its parameters: a source and a prefix. `scope.at("enc").at("block0").parameter("weight", …)` is the
 * parameter `enc.block0.weight`, so a network's code spells the state-dict names of the project its weights come from.
 */
export class Scope {
  readonly #source: ParameterSource;
  readonly #prefix: string;
  readonly #extras: ScopeExtras;
  constructor(source: ParameterSource, prefix = "", extras: ScopeExtras = {}) {
    this.#source = source;
    this.#prefix = prefix;
    this.#extras = extras;
  }

  at(name: string | number): Scope {
    return new Scope(this.#source, `${this.#prefix}${name}.`, this.#extras);
  }
  /** The same scope with a low-rank path beside every layer that `lowRank` names; all other parameters are frozen. */
  adapted(lowRank: LowRank): Scope {
    return new Scope(this.#source, this.#prefix, { ...this.#extras, lowRank });
  }
  /** The same scope for a network whose values are kept in `storage`; its parameters are f32 all the same. */
  keptIn(storage: Storage): Scope {
    return new Scope(this.#source, this.#prefix, { ...this.#extras, storage });
  }
  /** The same scope, where what an adapted network leaves as it is comes from `base`: it is stored there, and there only. */
  over(base: ParameterSource): Scope {
    return new Scope(this.#source, this.#prefix, { ...this.#extras, base });
  }
  get storage(): Storage {
    return this.#extras.storage ?? "f32";
  }
  /** The low-rank path of the layer whose scope this is, where it has one. */
  get lowRank(): LowRank | undefined {
    const { lowRank } = this.#extras;
    const ends = (target: string) => `.${this.#prefix}`.endsWith(`.${target}.`);
    return lowRank?.targets.some(ends) ? lowRank : undefined;
  }
  parameter(name: string, shape: Shape, init: Initializer): Tensor {
    const full = this.#prefix + name;
    const { lowRank, base = this.#source } = this.#extras;
    const stays = lowRank !== undefined && !/(^|\.)lora_[AB]\./.test(full);
    return stays ? base(full, shape, frozen(init)) : this.#source(full, shape, init);
  }
  /**
   * Declares a buffer that official state dicts hold although it follows from the options, such as a resampling filter.
   * It takes no memory on the device; weights files have it, and weights that bring another one are refused.
   */
  derived(name: string, shape: Shape, data: () => readonly number[]): void {
    this.#extras.derive?.({ name: this.#prefix + name, shape, data: Float32Array.from(data()) });
  }
}
