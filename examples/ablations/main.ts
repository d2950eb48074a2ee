/**
 * What the parts of DMD2 are for, in the plane: the TTUR ratio, the GAN loss under a wrong teacher, backward simulation.
 * Three seeds each, as mean ± standard deviation over the seeds.
 *
 *     npm run example -- ablations [device] [length]
 *
 * `length` scales the number of steps: 0.02 is a check that all of it runs.
 */
import { failure } from "../../core/errors.ts";
import type { NamedTensors } from "../../core/train/update/player.ts";
import { table } from "../../plugins/observers/mod.ts";
import { describeBackend, openBackend } from "../cli/device.ts";
import { type Arm, arms } from "./arms.ts";
import { deviation, mean } from "./spread.ts";
import { learnBeginning, type Outcome, trial } from "./trial.ts";

const seeds = [0, 1, 2];
const [device, length = "1"] = process.argv.slice(2);
const scale = Number(length);
if (!(scale > 0)) throw failure("E_USAGE", `Cannot run the ablations: length is ${length}, should be above 0`);

const backend = await openBackend(device);
console.error(`device  ${describeBackend(backend)}`);
const beginnings = new Map<string, NamedTensors>();
const rows: string[][] = [["", "", "SW", "wander", "in2", "in3", "lo", "joined"]];
for (const arm of arms) {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) {
    const began = performance.now();
    outcomes.push(await trial(arm, seed, await beginningOf(arm, seed), backend, scale));
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.error(`${arm.question}, ${arm.name}, seed ${seed}: ${seconds} s`);
  }
  rows.push(rowOf(arm, outcomes));
}
await backend.close();
console.log(table(rows));

/** Arms whose teachers believe the same start from the same weights. */
async function beginningOf(arm: Arm, seed: number): Promise<NamedTensors> {
  const key = `${seed} ${JSON.stringify((arm.over as { teacher?: object }).teacher ?? {})}`;
  const known = beginnings.get(key);
  if (known) return known;
  const learned = await learnBeginning(arm, seed, backend, scale);
  beginnings.set(key, learned);
  return learned;
}

function rowOf({ question, name }: Arm, outcomes: readonly Outcome[]): string[] {
  const spread = (key: keyof Outcome, digits: number) => {
    const values = outcomes.map((outcome) => outcome[key]);
    return `${mean(values).toFixed(digits)} ± ${deviation(values).toFixed(digits)}`;
  };
  return [
    question,
    name,
    spread("sw", 4),
    spread("wander", 4),
    spread("in2", 3),
    spread("in3", 3),
    spread("lo", 2),
    spread("joined", 2),
  ];
}
