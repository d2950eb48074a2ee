import type { NoiseSource } from "../diffusion/noiseSource.ts";
import type { Shape } from "../tensor/shape.ts";
import type { DType, Tensor } from "../tensor/tensor.ts";

/** The key of a condition's dropout draws; a symbol, so that every name is free for the data. */
export const DROPOUT: unique symbol = Symbol.for("onestep/dropout") as never;

/**
 * What a network is told besides image and noise level: named tensors, each [B, …]. The data describe them (`DataShape`); a
 * method may add others. Networks read them by name; ours know two numbers of methods, which a generator's `declare` passes as
 * placeholders if it is told them: `guidance` [B], a guidance scale, and `end` [B], the level at which a step ends, as the process's
 * cNoise. Whoever makes an entry says what its values mean.
 */
export interface Condition {
  readonly [entry: string]: Tensor | undefined;
  /** Draws of dropout while a network is trained; without them nothing is dropped. */
  readonly [DROPOUT]?: NoiseSource;
}

/** One entry of the conditions of a data set. */
export interface ConditionEntry {
  /** Without the batch axis. */
  readonly shape: Shape;
  readonly dtype: DType;
  /** Of an index, i32 of shape []: it is 0 … classes − 1. Generated images draw such entries; all others come from the data. */
  readonly classes?: number;
  /** What the classes are called, in order, where the data name them. */
  readonly names?: readonly string[];
  /**
   * What stands for no condition, from which guidance leads away: the entry is left out, replaced by a value that the data
   * store, set to zero, or kept as it is. Undefined where the data know no such value: then nothing can be guided.
   */
  readonly empty?: "absent" | "stored" | "zero" | "same";
}

/** The entries of the conditions of a data set by name; none for unconditional data. */
export type ConditionShape = Readonly<Record<string, ConditionEntry>>;

/** The name under which a condition holds the stored value that stands for no `entry`. */
export const emptyName = (entry: string): string => `empty.${entry}`;

/** The conditions of data with so many classes: an entry `label`, or none for 0. */
export const classLabel = (classes: number, names?: readonly string[]): ConditionShape =>
  classes > 0 ? { label: { shape: [], dtype: "i32", classes, ...(names && { names }), empty: "absent" } } : {};
