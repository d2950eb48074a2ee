import { broadcastStrides, type Shape, sizeOf } from "../../../core/tensor/shape.ts";

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

interface Axis {
  readonly size: number;
  readonly strides: readonly number[];
}

/** Axes of a batch, outermost first: those of one element dropped, those that run on in every input joined. */
export function batchAxes(batch: Shape, inputs: readonly Shape[]): Axis[] {
  const all = inputs.map((shape) => broadcastStrides(shape, batch));
  const axes: Axis[] = [];
  batch.forEach((size, axis) => {
    const strides = all.map((input) => input[axis]);
    const outer = axes.at(-1);
    if (size === 1) return;
    if (outer?.strides.every((stride, i) => stride === strides[i] * size))
      axes[axes.length - 1] = { size: outer.size * size, strides };
    else axes.push({ size, strides });
  });
  return axes;
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
