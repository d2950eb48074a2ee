import type { Axis } from "../../../core/tensor/axes.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";

/** Part of a batch of matrices that one call covers: an outer and an inner axis, counted in matrices. */
export interface BatchPart {
  readonly count: number;
  /** Length of the inner axis. */
  readonly inner: number;
  /** For each input: matrices from step to step along either axis, and where the part starts. */
  readonly strides: readonly { readonly outer: number; readonly inner: number }[];
  readonly offsets: readonly number[];
  /** Where the part starts in the output. */
  readonly first: number;
}

/** Cuts a batch into parts of at most two axes; nearly always one part. */
export function batchParts(axes: readonly Axis[], inputs: number): BatchPart[] {
  const none: Axis = { size: 1, strides: new Array<number>(inputs).fill(0) };
  const [outer, inner] = [axes.at(-2) ?? none, axes.at(-1) ?? none];
  const rest = axes.slice(0, -2);
  const count = outer.size * inner.size;
  return Array.from({ length: sizeOf(rest.map(({ size }) => size)) }, (_, index) => {
    const offsets = new Array<number>(inputs).fill(0);
    let left = index;
    for (const { size, strides } of rest.toReversed()) {
      strides.forEach((stride, i) => {
        offsets[i] += (left % size) * stride;
      });
      left = Math.floor(left / size);
    }
    const strides = offsets.map((_, i) => ({ outer: outer.strides[i], inner: inner.strides[i] }));
    return { count, inner: inner.size, strides, offsets, first: index * count };
  });
}
