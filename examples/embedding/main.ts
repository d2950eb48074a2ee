/**
 * onestep as a library: a config laid over the method's, events while it trains, the result as data, samples of the generator.
 *
 *     npm run example -- embedding
 */
import { mergeConfig, type RunConfig } from "onestep";
import { createEngine } from "onestep/engine";
import { dmd2 } from "onestep/plugins";

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
const engine = await createEngine({ device: "wasm" });
const training = await engine.train(config);

training.on("role/updated", async ({ role, step, losses }) => {
  if (role !== "critic" || step % 500 !== 0) return; // a read makes the device wait
  console.log(`step ${step}: fake score ${(await losses["fake-score"]!.read()).toFixed(3)}`);
});
training.on("run/warning", ({ source, message }) => console.warn(`${source}: ${message}`));

const { judgements } = await training.start();
for (const { who, metrics } of judgements) console.log(`${who}: sliced Wasserstein distance ${metrics.sw?.toFixed(3)}`);

const generator = await training.model();
const { x } = await generator.sample({ count: 4, seed: 1 });
console.log("four samples:", Array.from(x, (value) => value.toFixed(2)).join(" "));
await engine.dispose();
