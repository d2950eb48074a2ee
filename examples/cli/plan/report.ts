import { type Program, rootOf } from "../../../core/graph/mod.ts";
import type { Footprint } from "../../../core/interfaces/mod.ts";
import { formatShape, sizeOf } from "../../../core/tensor/shape.ts";
import { elementBytes } from "../../../core/tensor/storage.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { RunPlan, StagePlan } from "../../../core/train/mod.ts";
import { table } from "../../../plugins/observers/mod.ts";
import { operationsOfProgram } from "../profile/operations.ts";

const MIB = 2 ** 20;
/** Bytes as a number of mebibytes, for columns and sentences. */
export const mebibytes = (bytes: number): string => (bytes / MIB).toFixed(1);

/** Tensors that are listed of each program. */
const LISTED = 3;

/** A run's plan for people: parameters, and of each stage its programs with their largest tensors. */
export function reportOf({ parameters, stages }: RunPlan): string {
  const counts = Object.entries(parameters).map(([role, count]) => `${role} ${count.toLocaleString("en-US")}`);
  return [`parameters  ${counts.join(", ")}`, ...stages.flatMap((stage) => ["", stageText(stage)])].join("\n");
}

function stageText({ stage, programs, bytes }: StagePlan): string {
  const rows = programs.map(({ program, footprint }) => [
    program.name,
    String(footprint.dispatches ?? program.plan.steps.length),
    (operationsOfProgram(program) / 1e9).toFixed(2),
    mebibytes(footprint.planned),
    mebibytes(footprint.added),
    convolutionsOf(footprint),
    largestTensors(program),
  ]);
  const head = ["program", "steps", "GFLOP", "MiB", "+ device", "convolutions", "largest tensors"];
  return `${stage}, ${mebibytes(bytes)} MiB with states\n${table([head, ...rows])}`;
}

/** How a device computes the convolutions of a program and their gradients, such as "60 winograd, 12 direct". */
function convolutionsOf({ variants = {} }: Footprint): string {
  const sums = new Map<string, number>();
  for (const [op, counts] of Object.entries(variants))
    if (op.startsWith("conv2d"))
      for (const [name, count] of Object.entries(counts)) sums.set(name, (sums.get(name) ?? 0) + count);
  return [...sums].map(([name, count]) => `${count} ${name}`).join(", ") || "-";
}

/** The largest values that a program computes: op, shape and size. */
function largestTensors({ plan }: Program): string {
  const sizes = new Map<Tensor, number>();
  for (const tensor of plan.places.keys()) {
    const { root } = rootOf(tensor);
    const { kind, storage } = plan.buffers[plan.places.get(tensor)!.buffer];
    if (root.op.kind !== "source" && kind !== "state") sizes.set(root, sizeOf(root.shape) * elementBytes(storage));
  }
  const kinds = new Map<string, number>();
  for (const [{ op, shape }, bytes] of sizes) kinds.set(`${op.name} ${formatShape(shape)}`, bytes);
  return [...kinds]
    .sort(([, a], [, b]) => b - a)
    .slice(0, LISTED)
    .map(([name, bytes]) => `${name} ${mebibytes(bytes)}`)
    .join(", ");
}
