// `node build.mjs soak lost --count 50 --seed 1 --device llvmpipe`: devices are lost, all runs end in the same bits.
import { parseArgs } from "node:util";
import { scratch } from "../examples/cli/program.ts";
import { lostTrials } from "./lostTrials.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
    device: { type: "string", default: "llvmpipe" },
  },
});
const { path, remove } = scratch();
const { runs, losses, faults } = await lostTrials({
  folder: path("."),
  count: Number(values.count),
  seed: Number(values.seed),
  device: values.device,
  say: console.log,
});
for (const fault of faults) console.log(`fault: ${fault}`);
const total = Object.values(losses).reduce((sum, n) => sum + n, 0);
const parts = Object.entries(losses).map(([moment, n]) => `${moment} ${n}`);
console.log(
  `${values.device}, seed ${values.seed}: ${total} losses in ${runs} runs (${parts.join(", ")}), ${faults.length} faults`,
);
if (faults.length === 0) remove();
process.exitCode = faults.length > 0 ? 1 : 0;
