// Parts that do not go together, each of which trained or drew something else than was asked for: refused at the start.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import type { OnestepError } from "../../../core/errors.ts";
import { AVERAGES, GENERATOR, type GeneratorNetwork, LOSSES, SAMPLER } from "../../../core/interfaces/mod.ts";
import type { ConfiguredPlugin } from "../../../core/plugin/mod.ts";
import { type Player, type Recipe, SampleDrawer } from "../../../core/train/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose } from "../support.ts";
import { createdRun } from "./support.ts";

const test = suite("plugins/methods (parts that do not go together)");

const refusal = (recipe: Recipe, over: object): Promise<OnestepError> =>
  createdRun(recipe, over).then(
    () => assert.unreachable() as never,
    (error) => error,
  );

test("a method of stages with numbers, and a loss of another that reads none of them", async () => {
  const found = await refusal(plugins.kd, { method: { use: "tract" } });
  assert.is(found.code, "E_CONFIG");
  assert.match(
    found.message,
    /^Cannot run the method tract: its stage "phase 1" has the numbers levels, teacherSteps, .* and no loss reads any/,
  );
  for (const use of ["progressive", "reflow"])
    assert.match((await refusal(plugins.kd, { method: { use } })).message, /no loss reads any of them/, use);
  const bins = { use: "f-distill", ratioBins: 0, ttur: { critic: 1 } };
  assert.match((await refusal(plugins.dmd2, { method: bins })).message, /the numbers ratio-bins, ratio-memory/);
});

test("a loss that fools a judge whom nothing teaches", async () => {
  const sida = await refusal(plugins.sida, { losses: { "fake-denoising": { adversarial: 0 } } });
  assert.match(sida.message, /^Cannot run the method dmd2: the loss sid fools a judge who learns by no loss/);
  assert.is(sida.fix, "set losses.fake-denoising.adversarial, or leave out what fools it");
  const gan = { losses: { "gan-discriminator": false } };
  assert.match((await refusal(plugins.dmd2, gan)).message, /the loss gan-generator fools a judge/);
  const weightless = { losses: { "gan-discriminator": { weight: 0 } } };
  assert.match((await refusal(plugins.dmd2, weightless)).message, /the loss gan-generator fools a judge/);
  const steps = { losses: { "step-discriminator": false }, method: { firstSteps: 2 } };
  assert.match((await refusal(plugins.lightning, steps)).message, /the loss step-generator fools a judge|critic/);
  // The judge alone does no harm.
  await (await createdRun(plugins.dmd2, { losses: { "gan-generator": false } })).dispose();
});

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };

test("levels above those that a process of timesteps knows, of every generator and of samplers", () => {
  const make = (plugin: ConfiguredPlugin, token: typeof GENERATOR | typeof SAMPLER = GENERATOR) =>
    compose(shape, plugins.mlp({ width: 4, depth: 1 }), plugins.discrete(), plugin).get(token as typeof GENERATOR);
  const sigmas = [80];
  const made = [
    plugins.fewStep({ sigmas }),
    plugins.rollout({ sigmas: [80, 2] }),
    plugins.consistencyGenerator({ sigmas }),
    plugins.latentConsistencyGenerator({ sigmas }),
    plugins.ctmGenerator({ sigmas }),
    plugins.scmGenerator({ sigmas }),
    plugins.meanFlowGenerator({ sigmas }),
    plugins.bootstrapped({ sigmas }),
    plugins.operator({ sigmas }),
  ];
  for (const plugin of made)
    assert.match(
      thrown(() => make(plugin)).message,
      /first noise level is 80, the process knows none above 14.61$/,
      plugin.name,
    );
  make(plugins.fewStep({ sigmas: [14.6] }));
  for (const plugin of [plugins.heun(), plugins.euler({ sigmas: [20, 1] }), plugins.renoise({ sigmas })])
    assert.match(thrown(() => make(plugin, SAMPLER)).message, /the process knows none above 14.61$/, plugin.name);
});

test("options that only data's velocity heeds, with the teacher's", () => {
  const make = (own: object) =>
    compose(
      shape,
      plugins.mlp(),
      plugins.meanFlowGenerator(),
      plugins.meanFlowLoss({ velocity: "teacher", ...own }),
    ).all(LOSSES);
  for (const [name, value] of Object.entries({ conditionDropout: 0.2, guidedFrom: 0.1, guidedTo: 0.5, mixture: 0.3 }))
    assert.match(
      thrown(() => make({ [name]: value })).message,
      new RegExp(`^Cannot configure mean-flow: ${name} is given`),
    );
  make({ conditionDropout: 0 });
});

test("an average of growing levels takes them from the loss, and refuses others", () => {
  const make = (average: ConfiguredPlugin, ...losses: ConfiguredPlugin[]) =>
    compose(shape, plugins.mlp(), plugins.consistencyGenerator({ sigmas: [5] }), ...losses, average).all(AVERAGES)[0];
  const loss = plugins.consistencyTrainingLoss({ first: 10, last: 80, growth: "doubling" });
  const { keep } = make(plugins.emaCurriculum({ beta: 0.9 }), loss);
  assert.ok(Math.abs(keep(0, 1) - 0.9) < 1e-12);
  const late = 1e6;
  assert.ok(Math.abs(keep(late, 1) - 0.9 ** (1 / 8)) < 1e-12, `${keep(late, 1)}`);
  assert.match(
    thrown(() => make(plugins.emaCurriculum({ last: 200 }), loss)).message,
    /^Cannot configure ema-curriculum: last is 200 and the loss has 80, both should be the same/,
  );
  assert.is(make(plugins.emaCurriculum()).keep(0, 1), 1, "where nothing is trained it asks for no loss");
});

test("an average of growing levels without a loss that has some", async () => {
  const average = { "generator/target": { use: "ema-curriculum" } };
  const { message } = await refusal(plugins.consistency, { averages: average, train: { steps: 2 } });
  assert.match(message, /^Cannot use ema-curriculum: no loss of the run has levels that grow in number/);
});

test("samples in several steps of a generator that heeds no level are refused; calls are the network's", async () => {
  for (const [recipe, generator, calls] of [
    [plugins.dfno, { levels: [40, 10], blocks: 0 }, 3],
    [plugins.boot, {}, 1],
  ] as const) {
    const run = await createdRun(recipe, { generator, sampler: { use: "euler", sigmas: [80, 40, 10] } });
    const { memory, players } = run.trainer;
    const draw = (sampler: Parameters<typeof SampleDrawer.create>[3]) =>
      SampleDrawer.create(
        new ReferenceBackend(),
        memory,
        players.generator as Player<GeneratorNetwork>,
        sampler,
        shape,
        4,
      );
    const own = await draw(run.trainer.method.samplers.generator);
    assert.is(own.nfe, calls);
    const { message } = (await draw(run.trainer.method.samplers.teacher).catch((error) => error)) as Error;
    assert.match(
      message,
      /^Cannot draw samples of the generator in 3 steps: it answers at its first noise level alone/,
    );
    await run.dispose();
  }
});

test.run();
