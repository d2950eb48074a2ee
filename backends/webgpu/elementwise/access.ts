import { broadcastStrides, type Shape, sizeOf } from "../../../core/tensor/shape.ts";
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
  const { axes, strides } = collapse(
    shape,
    strided.map((read) => broadcastStrides(read.shape, shape)),
  );
  let next = 0;
  return {
    axes: strided.length ? axes : [],
    reads: kinds.map(
      (kind): Access => (kind === "strided" ? { kind, strides: strides[next++] } : { kind }),
    ),
  };
}

function kindOf(read: Read, count: number): Access["kind"] {
  const size = sizeOf(read.shape);
  // Equal sizes broadcast only by leading ones: the same order of elements.
  return size === count ? "full" : size === 1 ? "one" : "strided";
}

/** Joins neighbouring axes along which all strides go on evenly, and drops axes of size 1. */
function collapse(
  shape: Shape,
  all: readonly (readonly number[])[],
): { axes: number[]; strides: number[][] } {
  const axes: number[] = [];
  const strides: number[][] = all.map(() => []);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis];
    if (size === 1) continue;
    const joins = axes.length > 0 && all.every((list, i) => list[axis] === strides[i][0] * axes[0]);
    if (joins) axes[0] *= size;
    else {
      axes.unshift(size);
      all.forEach((list, i) => {
        strides[i].unshift(list[axis]);
      });
    }
  }
  return { axes, strides };
}
