// `node build.mjs soak kill --count 100 --seed 1 --device wasm`: random kill -9, all ending in the same bits.
import { parseArgs } from "node:util";
import { scratch } from "../examples/cli/program.ts";
import { killTrials } from "./killTrials.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100" },
    seed: { type: "string", default: "1" },
    device: { type: "string", default: "wasm" },
  },
});
const { path, remove } = scratch();
const { kills, runs, resumed, anew, faults } = await killTrials({
  folder: path("."),
  count: Number(values.count),
  seed: Number(values.seed),
  device: values.device,
  say: console.log,
});
for (const fault of faults) console.log(`fault: ${fault}`);
console.log(
  `seed ${values.seed}: ${kills} kills of ${runs} runs, ${resumed} times resumed, ${anew} times anew, ${faults.length} faults`,
);
if (faults.length === 0) remove();
process.exitCode = faults.length > 0 ? 1 : 0;
