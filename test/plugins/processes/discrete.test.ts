import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { type NoiseProcess, PROCESS } from "../../../core/interfaces/mod.ts";
import { isLora } from "../../../core/nn/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { mergeConfig, Run, resolveConfig } from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { discrete } from "../../../plugins/processes/discrete.ts";
import { beginAll, stageOf, tiny } from "../../core/train/support.ts";
import { compose } from "../support.ts";

const test = suite("plugins/processes/discrete");

const shape = { sample: [2], condition: {}, sigmaData: 1 };
const processOf = (options: Parameters<typeof discrete>[0] = {}): NoiseProcess =>
  compose(shape, discrete(options)).get(PROCESS);

test("is a well-formed plugin", () => checkPlugin(discrete, { prediction: "velocity" }));

test("the defaults are Stable Diffusion's levels", () => {
  const { sigmas = [] } = processOf();
  assert.is(sigmas.length, 1000);
  assert.is(processOf({ zeroTerminalSnr: true }).count, 1000, "the last has no finite level");
  for (const [t, sigma] of [
    [0, 0.02917],
    [249, 0.69321],
    [499, 1.61289],
    [749, 4.08173],
    [999, 14.61465],
  ])
    assert.ok(Math.abs(sigmas[t] - sigma) < 1e-5 * Math.max(1, sigma), `${t}: ${sigmas[t]}`);
});

test("refuses betas that fall", () => {
  assert.throws(() => processOf({ betaStart: 0.02 }), /betaStart is 0.02 and betaEnd 0.012/);
});

/** DMD2 on Gaussians as a model of timesteps sees them. */
const latent = mergeConfig(tiny, {
  process: { use: "discrete" },
  teacher: { use: "gaussian-mixture" },
  generator: { timesteps: [999, 749, 499, 249] },
  train: { steps: 4, batch: 2 },
  averages: { teacher: false },
  losses: { "edm-denoising": false },
});
const train = async (over: unknown) => {
  const resolved = resolveConfig(mergeConfig(latent, over), new Registry().register(allPlugins));
  const run = await Run.create({ resolved, backend: new ReferenceBackend() });
  const weights = () => run.trainer.players.generator.read("weights");
  await beginAll(run.trainer);
  const before = await weights();
  await run.trainer.train(stageOf(run.trainer, "distillation"));
  return { before, after: await weights(), config: resolved.config };
};

test("a run of a few-step generator over timesteps trains every parameter", async () => {
  const { before, after, config } = await train({});
  assert.is(config.process?.use, "discrete");
  for (const [name, { data }] of Object.entries(after)) {
    assert.ok(data.every(Number.isFinite), name);
    assert.not.equal(data, before[name].data, name);
  }
});

test("with lora only the adapters move", async () => {
  const lora = { rank: 1, alpha: 1, targets: ["net.0", "out"] };
  const { before, after } = await train({ generator: { lora } });
  const names = Object.keys(after);
  assert.equal(names.filter(isLora).length, 4);
  for (const name of names) if (!isLora(name)) assert.equal(after[name].data, before[name].data, name);
  assert.not.equal(after["out.lora_B.default.weight"].data, before["out.lora_B.default.weight"].data);
});

test.run();
