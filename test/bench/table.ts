import type { Result } from "./results.ts";

/** Engines that ours is held to; `base`, an older build of it, on the same device. */
const PEERS = ["base", "jax-js", "tfjs", "pytorch"];

const columns: readonly [title: string, width: number, text: (r: Result) => string][] = [
  ["case", -25, (r) => r.case],
  ["engine", -16, (r) => `${r.engine} ${r.device}`],
  ["wall ms", 9, (r) => digits(r.wallMs)],
  ["best", 9, (r) => digits(r.bestMs)],
  ["cpu ms", 9, (r) => digits(r.cpuMs)],
  ["GFLOP/s", 8, (r) => digits(r.gflops)],
  ["dispatch", 9, (r) => digits(r.dispatches)],
  ["submits", 8, (r) => digits(r.submits)],
  ["groups", 7, (r) => digits(r.newBindGroups)],
  ["buffers", 8, (r) => digits(r.newBuffers)],
  ["peak MB", 8, (r) => digits(r.peakBytes && r.peakBytes / 1e6)],
];
const RATIO_WIDTH = 9;

/** Whether an engine is this tree, on the Node of the bench or on another: `onestep@24`. */
export const isOurs = (engine: string): boolean => engine.split("@")[0] === "onestep";

const cell = (text: string, width: number) => (width < 0 ? text.padEnd(-width) : text.padStart(width));

export const tableHead = (): string =>
  [
    ...columns.map(([title, width]) => cell(title, width)),
    ...PEERS.map((peer) => cell(`× ${peer}`, RATIO_WIDTH + 1)),
  ].join("");

/** The rows of one case; ours say how many times faster they are than each peer. */
export function tableRows(results: readonly Result[]): string[] {
  return results.map((result) => {
    const [name, who, ...figures] = columns.map(([, width, text]) => cell(text(result), width));
    if (result.failed) return `${name}${who}  failed: ${result.failed}`;
    const ratios = PEERS.map((peer) => {
      const other = results.find(
        ({ engine, device, failed }) => engine === peer && !failed && (peer !== "base" || device === result.device),
      );
      const comparable = isOurs(result.engine) && other?.wallMs && result.wallMs;
      return cell(comparable ? digits(other.wallMs! / result.wallMs!) : "", RATIO_WIDTH + 1);
    });
    const verdict = result.wrong ? `  wrong: ${result.wrong}` : "";
    return [name, who, ...figures, ...ratios].join("").trimEnd() + verdict;
  });
}

/** Three digits, or all of a whole number; "-" for what an engine does not have. */
function digits(value: number | null): string {
  if (value === null) return "-";
  if (Number.isInteger(value) || Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}
