import { LOSS_TOLERANCE, LOSSES } from "./data.ts";
import type { RoundReply } from "./protocol.ts";

/** What one engine did in one case. */
export interface Result {
  readonly case: string;
  readonly engine: string;
  readonly device: string;
  /** Median of all calls. */
  readonly wallMs: number | null;
  readonly bestMs: number | null;
  /** Median of the rounds; user and system time of all threads. */
  readonly cpuMs: number | null;
  readonly gflops: number | null;
  readonly dispatches: number | null;
  readonly submits: number | null;
  readonly newBindGroups: number | null;
  readonly newBuffers: number | null;
  readonly peakBytes: number | null;
  /** Why there are no figures, or why they don't count. */
  readonly failed?: string;
  readonly wrong?: string;
  readonly note?: string;
}

type Who = Pick<Result, "case" | "engine" | "device">;

const nothing = {
  wallMs: null,
  bestMs: null,
  cpuMs: null,
  gflops: null,
  dispatches: null,
  submits: null,
  newBindGroups: null,
  newBuffers: null,
  peakBytes: null,
};

export const failedResult = (who: Who, failed: string): Result => ({ ...who, ...nothing, failed });

export function resultOf(
  who: Who,
  rounds: readonly RoundReply[],
  extra: { flops?: number; wrong?: string; note?: string },
): Result {
  const walls = rounds.flatMap(({ wallMs }) => wallMs);
  const last = rounds[rounds.length - 1];
  const wallMs = median(walls);
  const { flops, wrong, note } = extra;
  const peaks = rounds.map(({ peakBytes }) => peakBytes).filter((bytes) => bytes !== null);
  return {
    ...who,
    wallMs: rounded(wallMs),
    bestMs: rounded(Math.min(...walls)),
    cpuMs: rounded(median(rounds.map(({ cpuMs }) => cpuMs))),
    gflops: flops ? rounded(flops / wallMs / 1e6) : null,
    dispatches: rounded(last.dispatches),
    submits: rounded(last.submits),
    newBindGroups: rounded(last.newBindGroups),
    newBuffers: rounded(last.newBuffers),
    peakBytes: peaks.length ? Math.max(...peaks) : null,
    ...(wrong ? { wrong } : {}),
    ...(note ? { note } : {}),
  };
}

/** The one figure of a first step. */
export const firstResult = (who: Who, wallMs: number, cpuMs: number): Result => ({
  ...who,
  ...nothing,
  wallMs: rounded(wallMs),
  bestMs: rounded(wallMs),
  cpuMs: rounded(cpuMs),
});

/** Whether losses are those of the bench U-Net; undefined when they are. */
export function lossFault(values: readonly number[]): string | undefined {
  const step = LOSSES.findIndex((loss, i) => !(Math.abs(values[i] - loss) <= LOSS_TOLERANCE));
  if (step < 0) return undefined;
  return `loss of step ${step + 1} is ${values[step]?.toFixed(6)}, expected ${LOSSES[step]}`;
}

/** In the form that `--json` promises. */
export function jsonOf(results: readonly Result[]): string {
  const plain = results.map(({ bestMs: _, note: __, ...result }) => result);
  return `${JSON.stringify({ results: plain }, null, 2)}\n`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Three digits after the point. */
function rounded(value: number): number;
function rounded(value: number | null): number | null;
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}
