/**
 * The ring of Gaussians for three seeds, as one table: what each teacher and its one-step generator reach, beside as many
 * real points, which show the best that can be had.
 *
 *     npm run example -- gaussians [METHOD] [DEVICE]
 */
import { type Judgement, mergeConfig, Registry, Run, resolveConfig } from "../../core/mod.ts";
import { allPlugins } from "../../plugins/all.ts";
import { progress, table } from "../../plugins/observers/mod.ts";
import { describeBackend, openBackend } from "../cli/device.ts";
import { ringMethods } from "./methods/mod.ts";

const seeds = [0, 1, 2];

const [method = "dmd2", device] = process.argv.slice(2);
if (!Object.hasOwn(ringMethods, method)) {
  console.error(`There is no method ${method}, expected ${Object.keys(ringMethods).join(", ")}`);
  process.exit(1);
}
const { config } = await ringMethods[method]();
const registry = new Registry().register(allPlugins);
const backend = await openBackend(device);
console.error(`device  ${describeBackend(backend)}`);
const rows: string[][] = [["seed", "", "NFE", "in2", "in3", "lo..hi", "SW", "floor"]];
for (const seed of seeds) {
  const resolved = resolveConfig(mergeConfig(config, { train: { seed } }), registry);
  const run = await Run.create({
    resolved,
    backend,
    observers: [progress({ stream: process.stderr })],
  });
  const { judgements } = await run.start();
  const floor = judgements.find(({ who }) => who === "data")!.metrics.sw;
  for (const judgement of judgements.filter(({ who }) => who !== "data")) rows.push(rowOf(seed, judgement, floor));
  await run.dispose();
}
await backend.close();
console.log(table(rows));

function rowOf(seed: number, { who, nfe, metrics }: Judgement, floor: number): string[] {
  const { in2, in3, lo, hi, sw } = metrics;
  const shares = [in2, in3].map((share) => share.toFixed(3));
  const modes = `${lo.toFixed(2)}..${hi.toFixed(2)}`;
  return [`${seed}`, who, `${nfe}`, ...shares, modes, sw.toFixed(4), floor.toFixed(4)];
}
