import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import { grid } from "../grid.ts";
import type { DimValue, KernelVariant, Pass } from "../kernel.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/** A tensor as rows along its last axis. */
export interface Rows {
  readonly rows: number;
  readonly length: number;
}

export function rowsOf({ shape }: Tensor): Rows {
  const length = shape[shape.length - 1];
  return { rows: sizeOf(shape) / length, length };
}

/** Numbers that a kernel takes besides the sizes. */
type MoreDims = (node: Tensor) => Record<string, DimValue>;

/** A variant of one pass, which can also be had without a node. */
interface RowVariant extends KernelVariant {
  pass(rows: Rows): Pass;
}

/** A kernel that runs some rows of the output, one by one, on a subgroup of 8 lanes, and reads four elements at a time. */
export const subgroupRows = (kernel: string, more?: MoreDims): RowVariant =>
  rowVariant(
    "subgroup8",
    (node, traits) => hasLanesOf8(traits) && rowsOf(node).length % 4 === 0,
    ({ rows, length }) => {
      const per = Math.max(1, Math.min(16, Math.floor(rows / 64)));
      return {
        kernel,
        dims: { ROWS: rows, PER: per, N4: length / 4 },
        workgroups: grid(Math.ceil(rows / per)),
      };
    },
    more,
  );

/** A kernel that gives each row of the output a workgroup, on every device. */
export const workgroupRows = (kernel: string, more?: MoreDims): RowVariant =>
  rowVariant(
    "workgroup",
    () => true,
    ({ rows, length }) => ({ kernel, dims: { ROWS: rows, N: length }, workgroups: grid(rows) }),
    more,
  );

const rowVariant = (
  name: string,
  supports: (node: Tensor, traits: DeviceTraits) => boolean,
  pass: (rows: Rows) => Pass,
  more: MoreDims = () => ({}),
): RowVariant => ({
  name,
  supports,
  pass,
  plan(node) {
    const base = pass(rowsOf(node));
    return { passes: [{ ...base, dims: { ...base.dims, ...more(node) } }] };
  },
});
