import type { Tensor } from "../../core/tensor/tensor.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import type { MatrixShape } from "./subgroupMatrices.ts";

/** One dispatch of a WGSL kernel. */
export interface Pass {
  /** Stem of the file in wgsl/. */
  readonly kernel: string;
  /** Pipeline-overridable constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** The subgroup matrices of a kernel that is written for any. */
  readonly matrices?: MatrixShape;
  /** Fields of the kernel's `Dims` struct, by name, as the struct declares them; lists for vectors and arrays of vectors. */
  readonly dims: Readonly<Record<string, DimValue>>;
  readonly workgroups: readonly [x: number, y: number, z: number];
  /**
   * What is bound, in the order of the kernel's bindings (before `dims`). Inputs in order and then the output, when absent.
   */
  readonly bind?: readonly Bound[];
}

/**
 * What a pass binds: a number is an input of the node, "output" its output, "output 256" the same from its element 256 on,
 * where a binding can start, "temp 0" a temporary.
 */
export type Bound = number | "output" | `output ${number}` | `temp ${number}`;

/** A value of a `Dims` field: arrays of vectors may be given shorter than declared, the rest is 0. */
export type DimValue = number | readonly number[];

/** How a node runs on a device: usually one pass. */
export interface KernelPlan {
  readonly passes: readonly Pass[];
  /** Sizes in elements of temporaries the passes share. Their contents are lost after the last pass. */
  readonly temps?: readonly number[];
}

/** One way of running an op. Several exist where kinds of adapter differ. */
export interface KernelVariant {
  /** Name for tests, the autotuner and the profiler; unique within the op. */
  readonly name: string;
  /**
   * The optional device feature this variant needs, such as "subgroup matrices"; named in the error when the variant is
   * forced on a device without it.
   */
  readonly needs?: string;
  /** Whether this variant runs this node on this device. */
  supports(node: Tensor, traits: DeviceTraits): boolean;
  /**
   * Whether the last pass stores each element of the output once, and reads none: an elementwise step behind it can then be
   * its epilogue. Kernels that store at many places do without, as each place would repeat the epilogue's code.
   */
  readonly epilogue?: boolean;
  plan(node: Tensor, traits: DeviceTraits): KernelPlan;
}

/** All ways of running an op, the preferred first. The last one must support every device. */
export interface Lowering {
  /** Name of the op in core/ops. */
  readonly op: string;
  readonly variants: readonly KernelVariant[];
}
