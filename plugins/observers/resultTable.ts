import type { Observer } from "../../core/interfaces/mod.ts";
import type { EventOf, Judgement } from "../../core/train/mod.ts";
import { table } from "./table.ts";

/** Behind the name of a number: half the width of its interval. See `Judging.result`. */
export const INTERVAL = " ±";

/** The names of numbers, those of their intervals left out. */
export const numberNames = (metrics: readonly Judgement["metrics"][]): string[] =>
  [...new Set(metrics.flatMap(Object.keys))].filter((name) => !name.endsWith(INTERVAL));

/** A number with its interval, where it has one, as `17.5 ± 0.3`; nothing where it is not there. */
export function showMetric(metrics: Judgement["metrics"], name: string): string {
  const [value, half] = [metrics[name], metrics[name + INTERVAL]];
  if (value === undefined) return "";
  return half === undefined ? showNumber(value) : `${showNumber(value)} ± ${showNumber(half)}`;
}

/** Judgements as a table: who, denoiser calls per sample, number of samples, then every metric; real data show the best value. */
export function judgementTable(judgements: readonly Judgement[]): string {
  const metrics = numberNames(judgements.map(({ metrics }) => metrics));
  return table([
    ["", "NFE", "samples", ...metrics],
    ...judgements.map(({ who, nfe, count, metrics: values }) => [
      who === "data" ? "real data" : who,
      who === "data" ? "-" : String(nfe),
      String(count),
      ...metrics.map((name) => showMetric(values, name)),
    ]),
  ]);
}

/** Three places up to ten, then fewer: distances of 0.0123 and of 17.5 stand in one table. */
export const showNumber = (value: number): string =>
  Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(Math.abs(value) < 0.1 ? 4 : 3);

/** What was found of the learner while its stage is on, as a sentence. */
export function judgedText({ role, step, metrics, seconds, best }: Omit<EventOf<"learner/judged">, "type">): string {
  // In a log, numbers that JSON does not have are words.
  const numbers = Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value)]));
  const shown = numberNames([numbers]).map((name) => `${name} ${showMetric(numbers, name)}`);
  return [
    `the ${role} after step ${step}: ${shown.join(", ")}`,
    ...(best ? ["the best so far, its weights are kept"] : []),
    `judged in ${seconds.toFixed(seconds < 10 ? 1 : 0)} s`,
  ].join("; ");
}

/** Prints the table when the run has ended and something was judged; samples that no metric looked at are nothing to show. */
export function resultTable(print: (text: string) => void): Observer {
  const judgements: Judgement[] = [];
  return {
    name: "result-table",
    observe(bus) {
      bus.on("samples/judged", ({ type: _, ...judgement }) => void judgements.push(judgement));
      // They are judged again.
      bus.on("device/lost", () => void (judgements.length = 0));
      bus.on("run/end", () => {
        if (judgements.some(({ metrics }) => Object.keys(metrics).length > 0)) print(judgementTable(judgements));
      });
    },
  };
}
