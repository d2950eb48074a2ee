// `node build.mjs soak health --data DIR [--only NAME] [--seeds 3] [--folder DIR] [--record DIR]`: healthy runs stay without a
// warning, faulty ones have one before half of their steps; the training of teachers is among the healthy ones. Runs to their end
// take about a minute each in the plane, and three on digits, on two quiet cores.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { allPlugins } from "../../plugins/all.ts";
import { table } from "../../plugins/observers/table.ts";
import { scratch } from "../examples/cli/program.ts";
import { bandsOf } from "./healthBands.ts";
import { recorded } from "./healthRecords.ts";
import { type Outcome, runTrial, trials } from "./healthTrials.ts";

const { values } = parseArgs({
  options: {
    data: { type: "string", default: "" },
    only: { type: "string", default: "" },
    seeds: { type: "string", default: "3" },
    folder: { type: "string" },
    record: { type: "string" },
  },
});
const { path, remove } = scratch();
const folder = values.folder ?? path(".");
mkdirSync(folder, { recursive: true });
const chosen = trials.filter(
  ({ name, preset }) => name.includes(values.only) && (values.data !== "" || preset.startsWith("gaussians")),
);

/** Whether a run was told what it should have been told. */
const isRight = ({ trial, warnings }: Outcome): boolean =>
  trial.healthy ? warnings.length === 0 : warnings.some(({ step, steps }) => step < steps / 2);
const rows = [["run", "seed", "first warnings", "of steps", "as it should be", "CPU s", "readings"]];
const outcomes: Outcome[] = [];
let wrong = 0;
for (const trial of chosen)
  for (let seed = 0; seed < Number(values.seeds); seed++) {
    const outcome = await runTrial(trial, seed, { folder, mnist: values.data, say: console.log });
    outcomes.push(outcome);
    const { warnings, readings, seconds, share } = outcome;
    const first = new Map(warnings.map(({ monitor, step }) => [monitor, step]).reverse() as [string, number][]);
    const said = [...first].reverse().map(([monitor, step]) => `${monitor} ${step}`);
    if (!isRight(outcome)) wrong++;
    rows.push([
      trial.name,
      `${seed}`,
      said.join(", ") || "none",
      `${readings[0]?.steps ?? ""}`,
      isRight(outcome) ? "yes" : "NO",
      seconds.toFixed(0),
      `${(100 * share).toFixed(2)} %`,
    ]);
    console.log(rows[rows.length - 1].join("  "));
    if (values.record !== undefined) {
      mkdirSync(values.record, { recursive: true });
      const name = `${trial.name} ${seed}`.replace(/\W+/g, "-");
      writeFileSync(join(values.record, `${name}.jsonl`), recorded(outcome));
    }
  }
console.log(`\n${table(rows)}\n${rows.length - 1} runs, ${wrong} not as they should be`);
const good = outcomes.filter(({ trial }) => trial.healthy);
if (good.length > 0) {
  const monitors = allPlugins.filter(({ definition }) => definition.kind === "monitor");
  const bands = bandsOf(
    monitors,
    good.map(({ readings }) => readings),
  );
  const lines = bands.map(({ monitor, option, threshold, reached, margin }) => [
    monitor,
    option,
    `${threshold}`,
    reached.toPrecision(3),
    `${margin.toFixed(2)} ×`,
  ]);
  console.log(`\n${table([["monitor", "threshold", "is", "good runs reach", "margin"], ...lines])}`);
}
if (values.folder === undefined) remove();
process.exitCode = wrong > 0 ? 1 : 0;
