import { grid } from "../grid.ts";
import type { KernelVariant, Lowering, Pass } from "../kernel.ts";
import { type Rows, rowsOf, subgroupRows, workgroupRows } from "./rows.ts";

const subgroup8 = subgroupRows("softmaxSubgroup");
const workgroup = workgroupRows("softmax");
const lanes: KernelVariant = {
  name: "lanes",
  supports: (node) => isShort(rowsOf(node)),
  plan: (node) => ({ passes: [laneRows(rowsOf(node))] }),
};

/** Shorter rows leave a subgroup's or workgroup's lanes idle, and many of them fill the device by themselves. */
const isShort = ({ length }: Rows): boolean => length < 32;

const laneRows = ({ rows, length }: Rows): Pass => ({
  kernel: "softmaxRows",
  dims: { ROWS: rows, N: length },
  workgroups: grid(Math.ceil(rows / 64)),
});

/** The pass for rows of another op's temporary. */
export function softmaxPass(rows: Rows, lanesOf8: boolean, bind: Pass["bind"]): Pass {
  if (isShort(rows)) return { ...laneRows(rows), bind };
  return { ...(lanesOf8 && rows.length % 4 === 0 ? subgroup8 : workgroup).pass(rows), bind };
}

/** See wgsl/softmax.wgsl, wgsl/softmaxRows.wgsl and wgsl/softmaxSubgroup.wgsl. */
export const softmax: Lowering = { op: "softmax", variants: [lanes, subgroup8, workgroup] };
