import type { Tensor } from "../../core/tensor/tensor.ts";

/**
 * An argument of a kernel after `start` and `end`. A plain number is an i32. Every pointer is a byte address in the
 * shared linear memory; tensors start at any multiple of 4 bytes (views), temporaries and thread space at 64.
 */
export type Argument =
  | number
  | { readonly f32: number }
  /** First element of a tensor (an input of the node, or the node itself for its output), plus `offset` elements. */
  | { readonly tensor: Tensor; readonly offset: number }
  /** First element of temporary number `temp` of the step, plus `offset` elements. */
  | { readonly temp: number; readonly offset: number }
  /** The calling thread's own space, `KernelPlan.threadSpace` elements: packed panels, partial tiles. */
  | { readonly own: true };

/** One call of an export of assembly/, `fn(start, end, ...args)`. */
export interface Call {
  readonly fn: string;
  readonly args: readonly Argument[];
  /**
   * Independent work items. Threads call `fn` for disjoint parts of 0…items-1; an output element is written by one item
   * only, and what an item writes must not depend on how the items are cut: so results are the same bits on any number
   * of threads.
   */
  readonly items: number;
  /** Fewest items worth giving to a thread: about 20 µs of work. A call of at most so many runs on one thread. */
  readonly grain: number;
}

/** How a node runs: its calls one after another; each sees all that the calls before it wrote. */
export interface KernelPlan {
  readonly calls: readonly Call[];
  /** Sizes in elements of temporaries that the calls share: packed operands, partial sums. Their contents are undefined. */
  readonly temps?: readonly number[];
  /** Elements of space of its own that each thread needs. */
  readonly threadSpace?: number;
  /** Inputs that the calls read as they are kept, in two bytes an element too; others come to them widened to f32. */
  readonly halves?: readonly Tensor[];
  /** Name of the way in which the op is computed, where there are several: profiles and `onestep plan` show it. */
  readonly variant?: string;
}

/** How an op of core/ops runs on this backend. */
export interface Lowering {
  /** Name of the op in core/ops. */
  readonly op: string;
  plan(node: Tensor): KernelPlan;
}

/** A float argument. */
export const f32 = (value: number): Argument => ({ f32: value });
/** Address of a tensor: an input of the node, or the node itself for its output. */
export const at = (tensor: Tensor, offset = 0): Argument => ({ tensor, offset });
/** Address of a temporary of the step. */
export const temp = (index: number, offset = 0): Argument => ({ temp: index, offset });
/** Address of the calling thread's own space. */
export const own: Argument = { own: true };

/** A grain for items that cost about `nanoseconds` each. */
export const grainOf = (nanoseconds: number): number => Math.max(1, Math.round(20_000 / nanoseconds));
