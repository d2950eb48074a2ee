import { broadcastAxes } from "../../../core/tensor/axes.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Chain, Read } from "./chain.ts";

/**
 * How a read finds its element.
 * - one: a single element for all
 * - full: element i for element i
 * - strided: broadcast along some axes; `strides` belong to the collapsed `axes`
 */
export type Access =
  | { readonly kind: "one" }
  | { readonly kind: "full" }
  | { readonly kind: "strided"; readonly strides: readonly number[] };

/** Accesses of all reads of a chain over as few axes as possible. */
export interface Accesses {
  /** Sizes of the axes that strided reads are indexed by, outermost first; empty when there are none. */
  readonly axes: readonly number[];
  readonly reads: readonly Access[];
}

export function accessesOf({ shape, reads }: Chain): Accesses {
  const count = sizeOf(shape);
  const kinds = reads.map((read) => kindOf(read, count));
  const strided = reads.filter((_, i) => kinds[i] === "strided");
  const axes = broadcastAxes(
    shape,
    strided.map((read) => read.shape),
  );
  const stridesOf = (read: number) => axes.map(({ strides }) => strides[strided.indexOf(reads[read])]);
  return {
    axes: strided.length ? axes.map(({ size }) => size) : [],
    reads: kinds.map((kind, i): Access => (kind === "strided" ? { kind, strides: stridesOf(i) } : { kind })),
  };
}

function kindOf(read: Read, count: number): Access["kind"] {
  const size = sizeOf(read.shape);
  // Equal sizes broadcast only by leading ones: the same order of elements.
  return size === count ? "full" : size === 1 ? "one" : "strided";
}
