import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { dmd2 } from "../../../plugins/methods/dmd2.ts";
import { fDistill, fDistillMethod } from "../../../plugins/methods/fDistill.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods/fDistill");

const over = {
  method: { ratioMemory: 0.5, ttur: { critic: 2 } },
  losses: { "f-distill": { divergence: "js" } },
  optimizers: { generator: { lr: 1e-2 }, critic: { lr: 1e-2 } },
  generator: { sigmas: [10] },
  sampler: { steps: 4, sigmaMax: 10 },
};

test("is a well-formed plugin", () => checkPlugin(fDistillMethod, { ratioMemory: 0.5 }));

test("the recipe: FastGen's DMD2 for the forward divergence, bins that forget", () => {
  const { config, losses } = resolvedRecipe(fDistill);
  assert.equal(config.method.ttur, { critic: 4, generator: 1, exclusive: true });
  assert.is(config.method.first, "critic");
  assert.is(config.losses["f-distill"].divergence, "kl");
  assert.equal([config.method.ratioBins, config.method.ratioMemory], [10, 0]);
  assert.not.ok(losses.some(([name]) => name === "distribution-matching"));
});

test("the bins learn after each turn of the generator, on its images; without bins nobody does", async () => {
  const turns = async (ratioBins: number) => {
    const none = { losses: { ...over.losses, "ratio-bins": false }, optimizers: { "ratio-bins": false } };
    const without = ratioBins === 0 ? none : {};
    const run = await createdRun(fDistill, {
      ...over,
      ...without,
      method: { ttur: { critic: 2 }, ratioBins, ratioMemory: 0.5 },
    });
    const { roles, stages } = run.trainer.method;
    await run.dispose();
    return { stage: stages.find(({ name }) => name === "distillation")!, roles: Object.keys(roles) };
  };
  const { stage, roles } = await turns(3);
  const critic = [{ role: "critic" }];
  assert.equal(stage.cycle, [
    critic,
    critic,
    [
      { role: "generator", keeps: true },
      { role: "ratio-bins", images: "kept" },
    ],
  ]);
  assert.equal(stage.numbers, { "ratio-bins": 3, "ratio-memory": 0.5 });
  assert.equal(roles, ["teacher", "generator", "critic", "ratio-bins"]);
  assert.equal((await turns(0)).roles, ["teacher", "generator", "critic"]);
});

test("stopped and resumed, it ends as if it had not been: the bins are a part of the checkpoint", async () => {
  const lengths = { teacher: 2, steps: 9 };
  const whole = await finished(fDistill, over, lengths);
  const parts = await finished(fDistill, over, lengths, { stage: "distillation", step: 4 });
  assert.equal(parts.states, whole.states);
  const forgetful = await finished(fDistill, { ...over, method: { ...over.method, ratioMemory: 0 } }, lengths);
  assert.not.equal(forgetful.states.generator, whole.states.generator);
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (recipe: typeof fDistill, config: object) =>
    (
      await createdRun(recipe, config)
        .then((run) => run.start())
        .catch((error) => error)
    )?.message;
  assert.match(
    await refused(fDistill, { ...over, critic: false }),
    /^Cannot distil by f-distill: there is no critic, its discriminator gives the ratios/,
  );
  assert.match(
    await refused(dmd2, { losses: { "f-distill": {}, "distribution-matching": false } }),
    /^Cannot use loss f-distill: the method has no bins of density ratios/,
  );
  assert.match(
    await refused(fDistill, { ...over, losses: { "f-distill": { ratioMin: 30 } } }),
    /ratioMin is 30 and ratioMax 20, ratioMin should be the lower/,
  );
  assert.match(
    await refused(fDistill, { ...over, losses: { "gan-discriminator": false } }),
    /^Cannot distil by f-distill: no loss teaches the critic's discriminator/,
  );
  assert.match(
    await refused(fDistill, { ...over, losses: { "ratio-bins": false } }),
    /^Cannot distil by f-distill: no loss teaches the bins of ratios/,
  );
});

test.run();
