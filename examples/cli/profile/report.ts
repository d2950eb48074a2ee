import { table } from "../../../plugins/observers/table.ts";
import type { Ceiling } from "./ceiling.ts";
import { bytesOf, operationsOf } from "./operations.ts";
import type { Watched } from "./watch.ts";

/** All equal steps of a program, in one run. */
interface Line {
  readonly name: string;
  readonly op: string;
  readonly ms: number;
  count: number;
  operations: number;
  bytes: number;
}

const SHOWN = 20;
const BAR = 40;
const NAME = 60;

/** "generator update: 61.2 ms, best 58.9 of 5, 0.31 to encode; …": what a program takes, and what it should cost. */
export function summaryOf({ program, wallMs, encodeMs }: Watched): string {
  const [all, encoding] = [wallMs, encodeMs].map((list) => [...list].sort((a, b) => a - b));
  const median = (sorted: readonly number[]) => fixed(sorted[sorted.length >> 1]);
  const encode = encoding.length > 0 ? `, ${median(encoding)} to encode` : "";
  return `${program.name}: ${median(all)} ms, best ${fixed(all[0])} of ${all.length}${encode}; ${program.plan.steps.length} steps, ${fixed(program.plan.bytes / 1e6)} MB besides its states`;
}

/** The slowest kernels of a program as a table, then all time by op and shape as bars. */
export function profileOf({ program, names, variants, wallMs, kernels }: Watched, ceiling: Ceiling): string {
  if (!kernels || kernels.size === 0) return "no kernel times: this device has no timestamps";
  const lines = new Map<string, Line>();
  for (const [index, step] of program.plan.steps.entries()) {
    const name = names[index];
    const op = step.kind === "kernel" ? step.node.op.name : step.kind;
    // A step that took no time of its own was the epilogue of a kernel.
    if (!kernels.has(name)) continue;
    const ms = kernels.get(name)! / wallMs.length;
    const line = lines.get(name) ?? { name, op, ms, count: 0, operations: 0, bytes: 0 };
    line.count++;
    line.operations += step.kind === "kernel" ? operationsOf(step.node) : 0;
    line.bytes += bytesOf(step);
    lines.set(name, line);
  }
  const sorted = [...lines.values()].sort((a, b) => b.ms - a.ms);
  const total = sorted.reduce((sum, { ms }) => sum + ms, 0);
  const share = (part: number, whole: number) => `${((100 * part) / whole).toFixed(0)} %`;
  const rows = sorted.slice(0, SHOWN).map(({ name, ms, count, operations, bytes }) => {
    const [gflops, gigabytes] = [operations / ms / 1e6, bytes / ms / 1e6];
    return [
      fixed(ms),
      share(ms, total),
      String(count),
      ...(operations > 0 ? [fixed(gflops), share(gflops, ceiling.gflops)] : ["", ""]),
      fixed(gigabytes),
      share(gigabytes, ceiling.gigabytes),
      ...(variants.size > 0 ? [variants.get(name) ?? ""] : []),
      shortened(name),
    ];
  });
  const head = [
    "ms",
    "share",
    "calls",
    "GFLOP/s",
    "of best",
    "GB/s",
    "of best",
    ...(variants.size > 0 ? ["variant"] : []),
    "kernel",
  ];
  return [
    `${fixed(total)} ms in kernels; the best here is ${fixed(ceiling.gflops)} GFLOP/s and ${fixed(ceiling.gigabytes)} GB/s`,
    "",
    table([head, ...rows]),
    "",
    ...bars(sorted, total),
  ].join("\n");
}

/** A bar for each op, and under it one for each of its shapes that can be seen. */
function bars(lines: readonly Line[], total: number): string[] {
  const ops = new Map<string, Line[]>();
  for (const line of lines) ops.set(line.op, [...(ops.get(line.op) ?? []), line]);
  const sum = (group: readonly Line[]) => group.reduce((all, { ms }) => all + ms, 0);
  const bar = (ms: number) => "█".repeat(Math.round((ms / total) * BAR));
  return [...ops]
    .sort(([, a], [, b]) => sum(b) - sum(a))
    .filter(([, group]) => bar(sum(group)) !== "")
    .flatMap(([op, group]) => [
      `${fixed(sum(group)).padStart(8)} ms  ${bar(sum(group)).padEnd(BAR)}  ${op}`,
      ...group
        .filter(({ ms }) => bar(ms) !== "")
        .map(
          ({ ms, name }) =>
            `${fixed(ms).padStart(8)} ms  ${bar(ms).replaceAll("█", "▒").padEnd(BAR)}    ${shortened(name)}`,
        ),
    ]);
}

/** Long chains of elementwise ops by their beginning, their length and their shape. */
function shortened(name: string): string {
  if (name.length <= NAME) return name;
  const [ops, ...shape] = name.split(" ");
  const parts = ops.split("+");
  if (parts.length < 4) return `${name.slice(0, NAME - 1)}…`;
  return `${parts.slice(0, 3).join("+")}+… ${parts.length} ops ${shape.join(" ")}`;
}

const fixed = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
