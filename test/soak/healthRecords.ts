/** Readings of runs in files, by which thresholds are tested. */
import { readFileSync } from "node:fs";
import type { Reading } from "../../core/interfaces/mod.ts";
import type { Outcome } from "./healthTrials.ts";

/** Readings as a file has them: what run it was, then a line each, with three digits. */
export function recorded({ trial, seed, readings }: Outcome): string {
  const short = (value: number) => Number(value.toPrecision(3));
  const lines = readings.map(({ values, ...rest }) => ({
    ...rest,
    values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, short(value)])),
  }));
  const head = { healthy: trial.healthy, run: [trial.preset, ...trial.changes, `train.seed=${seed}`].join(" ") };
  return `${[head, ...lines].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** What `recorded` has written. */
export function readRecorded(path: string): { healthy: boolean; run: string; readings: Reading[] } {
  const [head, ...readings] = readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return { ...head, readings };
}
