/**
 * onestep as a library: a config laid over the method's, a device, observers, and the result as data.
 *
 *     npm run example -- embedding
 */
import { type Judgement, mergeConfig, Registry, Run, type RunConfig, resolveConfig } from "onestep";
import { allPlugins, dmd2 } from "onestep/plugins";
import { WasmBackend } from "onestep/wasm";

const config: RunConfig = mergeConfig(
  { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp", width: 64, depth: 3 } },
  {
    teacher: { use: "gaussian-mixture" }, // exact, so that nothing has to be trained before distillation
    generator: { sigmas: [10] },
    losses: {
      "distribution-matching": { sigmaMax: 10 },
      "fake-score": { sigmaMax: 10 },
      "gan-generator": false,
      "gan-discriminator": false,
    },
    optimizers: { generator: { lr: 1e-3, warmup: 100 }, critic: { lr: 2e-3, warmup: 100 } },
    metrics: { "gaussian-modes": {} },
    train: { steps: 2000, batch: 128, evaluateCount: 2000 },
  },
);
const registry = new Registry().register(allPlugins);
const backend = await WasmBackend.open();
const run = await Run.create({ resolved: resolveConfig(config, registry), backend });

run.bus.on("role/updated", async ({ role, step, losses }) => {
  if (role !== "critic" || step % 500 !== 0) return; // a read makes the device wait
  console.log(`step ${step}: fake score ${(await losses["fake-score"].read()).toFixed(3)}`);
});
run.bus.on("run/warning", ({ source, message }) => console.warn(`${source}: ${message}`));

const { judgements } = await run.start();
const sw = ({ metrics }: Judgement) => metrics.sw.toFixed(3);
for (const each of judgements) console.log(`${each.who}: sliced Wasserstein distance ${sw(each)}`);

const { x } = await run.draw("generator", 4, 1);
console.log("four samples:", Array.from(x, (value) => value.toFixed(2)).join(" "));

await run.dispose();
await backend.close();
