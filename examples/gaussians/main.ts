/**
 * The gaussians preset for three seeds, as one table: what each teacher and its one-step generator reach, beside as many
 * real points, which show the best that can be had.
 *
 *     npm run example -- gaussians
 */
import { type Judgement, Registry, Run, resolveConfig } from "../../core/mod.ts";
import { mergeConfig } from "../../core/train/mod.ts";
import { allPlugins } from "../../plugins/all.ts";
import { progress, table } from "../../plugins/observers/mod.ts";
import { describeBackend, openBackend } from "../cli/device.ts";
import { preset } from "./preset.ts";

const seeds = [0, 1, 2];

const registry = new Registry().register(allPlugins);
const backend = await openBackend(process.argv[2]);
console.error(`device  ${describeBackend(backend)}`);
const rows: string[][] = [["seed", "", "NFE", "in3", "lo..hi", "SW", "floor"]];
for (const seed of seeds) {
  const resolved = resolveConfig(mergeConfig(preset, { train: { seed } }), registry);
  const run = await Run.create({
    resolved,
    backend,
    observers: [progress({ stream: process.stderr })],
  });
  const { judgements } = await run.start();
  const floor = judgements.find(({ who }) => who === "data")!.metrics.sw;
  for (const judgement of judgements.filter(({ who }) => who !== "data"))
    rows.push(rowOf(seed, judgement, floor));
  await run.dispose();
}
await backend.close();
console.log(table(rows));

function rowOf(seed: number, { who, nfe, metrics }: Judgement, floor: number): string[] {
  const { in3, lo, hi, sw } = metrics;
  const shares = `${lo.toFixed(2)}..${hi.toFixed(2)}`;
  return [`${seed}`, who, `${nfe}`, in3.toFixed(3), shares, sw.toFixed(4), floor.toFixed(4)];
}
