/** What a run needs besides the programs on its device: by role, on the host, on the disk, in time. */
import { program } from "../../../core/graph/mod.ts";
import type { Backend, DataShape } from "../../../core/interfaces/mod.ts";
import { input, matmul } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/mod.ts";
import type { RunPlan, RunSettings } from "../../../core/train/mod.ts";
import { table } from "../../../plugins/observers/mod.ts";
import { operationsOfProgram } from "../profile/operations.ts";
import { mebibytes } from "./report.ts";

/** Kinds of a role's states, by what stands between its name and the number of the flat tensor. */
const KINDS = ["weights", "moments", "averages", "gradient"] as const;
type KindOfState = (typeof KINDS)[number];

function kindOf(name: string): KindOfState | undefined {
  if (name === "weights" || name === "gradient") return name;
  if (name.startsWith("average")) return "averages";
  return /^moment/.test(name) ? "moments" : undefined;
}

/** The memory of a device by role: what each has there, what roles share, and what programs add at the peak. */
export function memoryTable({ parameters, states, peakBytes }: RunPlan): string {
  const rows = new Map(Object.keys(parameters).map((role) => [role, new Map<KindOfState, number>()]));
  let others = 0;
  for (const [name, bytes] of states) {
    const [role, kind = ""] = [
      name.split(".")[0],
      name
        .split(".")
        .slice(1)
        .join(".")
        .replace(/\.\d+$/, ""),
    ];
    const known = kindOf(kind);
    const row = rows.get(role);
    if (row && known) row.set(known, (row.get(known) ?? 0) + bytes);
    else others += bytes;
  }
  const all = [...states.values()].reduce((a, b) => a + b, 0);
  const line = (name: string, row: ReadonlyMap<KindOfState, number>) => {
    const sum = [...row.values()].reduce((a, b) => a + b, 0);
    return [name, ...KINDS.map((kind) => (row.has(kind) ? mebibytes(row.get(kind)!) : "-")), mebibytes(sum)];
  };
  const alone = (name: string, bytes: number) => [name, ...KINDS.map(() => "-"), mebibytes(bytes)];
  return table([
    ["MiB of the device", ...KINDS, "all"],
    ...[...rows].map(([role, row]) => line(role, row)),
    alone("images and numbers", others),
    alone("activations", Math.max(0, peakBytes - all)),
    alone("peak", peakBytes),
  ]);
}

/** The program itself, with its code, in bytes. */
const PROGRAM = 200 * 2 ** 20;

/**
 * A line each of what the host, the disk and the clock have to give.
 * @param from where the rate, operations of a second, is from
 */
export function needsOf(
  plan: RunPlan,
  settings: RunSettings,
  shape: DataShape,
  rate: number,
  from = "which a large product takes here",
): string[] {
  const { states, stages, disk } = plan;
  const largest = Math.max(0, ...states.values());
  const row =
    sizeOf(shape.sample) + Object.values(shape.condition).reduce((sum, { shape: each }) => sum + sizeOf(each), 0);
  const batches = (2 * 4 * settings.batch * row) / settings.accumulate;
  // The one that is being written lies beside those that stay.
  const kept = settings.keep + 1;
  const total = kept * disk.checkpoint + disk.weights;
  return [
    `host        about ${mebibytes(PROGRAM + largest + batches)} MiB besides: the program, a state on its way to a file ${mebibytes(largest)}, two batches ${mebibytes(batches)}`,
    `disk        ${mebibytes(total)} MiB: ${kept} checkpoints of ${mebibytes(disk.checkpoint)} (train.keep=${settings.keep}, and the one that is written), weights ${mebibytes(disk.weights)}`,
    ...stages.filter(({ steps }) => steps > 0).map((stage) => timeLine(stage, rate, from)),
  ];
}

function timeLine({ stage, steps, updates }: RunPlan["stages"][number], rate: number, from: string): string {
  const perStep = updates.reduce((sum, { program: each, perStep }) => sum + perStep * operationsOfProgram(each), 0);
  const seconds = perStep / rate;
  return `time        about ${duration(seconds * steps)} for the ${steps} steps of ${stage}, ${duration(seconds)} each: ${(perStep / 1e9).toFixed(perStep < 1e10 ? 3 : 0)} GFLOP a step at ${(rate / 1e9).toFixed(1)} GFLOP/s, ${from}`;
}

/** The same of steps that were run. */
export const measuredLine = (stage: string, steps: number, ms: number): string =>
  `measured    ${duration((ms / 1000) * steps)} for the ${steps} steps of ${stage}, ${duration(ms / 1000)} each, as steps that were run here take`;

function duration(seconds: number): string {
  const units = [
    ["days", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
    ["ms", 1e-3],
  ] as const;
  const [unit, size] = units.find(([, each]) => seconds >= 2 * each) ?? units[units.length - 1];
  const value = seconds / size;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}

/** Side of the matrices that a device is timed with. */
const SIDE = 768;

/** Operations of a second that a device does in a large matrix product: the best of a few. It takes some megabytes for a moment. */
export async function measureRate(device: Backend): Promise<number> {
  const [a, b] = ["a", "b"].map((name) => input(name, [SIDE, SIDE]));
  const memory = device.createMemory();
  const run = await device.compile(program({ name: "rate", outputs: { c: matmul(a, b) } }), memory);
  const values = new Float32Array(SIDE * SIDE).fill(0.5);
  let best = Number.POSITIVE_INFINITY;
  try {
    for (let i = 0; i < 4; i++) {
      const start = performance.now();
      await run.run({ a: values, b: values });
      await device.finish();
      // The first one warms up.
      if (i > 0) best = Math.min(best, performance.now() - start);
    }
  } finally {
    run.dispose();
    memory.dispose();
  }
  return (2 * SIDE ** 3) / (best / 1000);
}
