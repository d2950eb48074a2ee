/**
 * A script of Deno: trains the smallest run there is where it is given none, samples from it, and writes what it drew as JSON.
 *
 *     deno run --allow-read --allow-write --allow-env --allow-sys examples/deno/main.ts [run folder] [out.json]
 */
import { mergeConfig, type RunConfig } from "onestep";
import { createEngine } from "onestep/engine";
import { files } from "onestep/host";
import { dmd2 } from "onestep/plugins";

const [run, out = "samples.json"] = Deno.args;
await using engine = await createEngine({ device: "wasm", files, note: console.error });

/** The generator of a short run in the plane, with the exact teacher of its data. */
async function trained() {
  const config: RunConfig = mergeConfig(
    { ...dmd2, dataset: { use: "gaussians" }, network: { use: "mlp", width: 32, depth: 2 } },
    {
      teacher: { use: "gaussian-mixture" },
      generator: { sigmas: [10] },
      losses: { "gan-generator": false, "gan-discriminator": false },
      train: { steps: 50, batch: 64, evaluateCount: 100 },
    },
  );
  await using training = await engine.train(config);
  for await (const event of training) if (event.type === "run/end") console.log(`trained ${event.steps} steps`);
  return training.model();
}

const model = run === undefined ? await trained() : await engine.load(run);
const { x, shape, nfe } = await model.sample({ count: 4, seed: 7 });
await Deno.writeTextFile(out, JSON.stringify({ role: model.role, shape, nfe, x: [...x] }));
console.log(`${out}: ${shape[0]} samples of the ${model.role}, NFE ${nfe}`);
