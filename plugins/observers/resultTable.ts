import type { Observer } from "../../core/interfaces/mod.ts";
import type { Judgement } from "../../core/train/mod.ts";
import { table } from "./table.ts";

/** Judgements as a table: who, denoiser calls per sample, number of samples, then every metric; real data show the best value. */
export function judgementTable(judgements: readonly Judgement[]): string {
  const metrics = [...new Set(judgements.flatMap(({ metrics }) => Object.keys(metrics)))];
  return table([
    ["", "NFE", "samples", ...metrics],
    ...judgements.map(({ who, nfe, count, metrics: values }) => [
      who === "data" ? "real data" : who,
      who === "data" ? "-" : String(nfe),
      String(count),
      ...metrics.map((name) => (values[name] === undefined ? "" : showNumber(values[name]))),
    ]),
  ]);
}

/** Three places up to ten, then fewer: distances of 0.0123 and of 17.5 stand in one table. */
export const showNumber = (value: number): string =>
  Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(Math.abs(value) < 0.1 ? 4 : 3);

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
