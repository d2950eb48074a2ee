import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { tract, tractMethod } from "../../../plugins/methods/tract.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods/tract");

const over = { method: { phases: [8, 2, 1] }, generator: { sigmas: [10] }, sampler: { steps: 4, sigmaMax: 10 } };

test("is a well-formed plugin", () => checkPlugin(tractMethod, { phases: [8, 2] }));

test("the recipe: 40 steps folded into one", () => {
  assert.equal(resolvedRecipe(tract).config.method.phases, [40, 1]);
});

test("phases, each taught by the last; a stopped one goes on as if it had not been", async () => {
  const lengths = { teacher: 2, steps: 4 };
  const whole = await finished(tract, over, lengths);
  assert.equal(whole.stages, ["teacher", "teacher", "phase 1", "phase 1", "phase 2", "phase 2"]);
  const parts = await finished(tract, over, lengths, { stage: "phase 1", step: 1 });
  assert.equal(parts.states, whole.states);
  assert.equal([...new Set(parts.nfes)], [2, 1]); // of the picture at the stop, and of the end
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (config: object) =>
    (await createdRun(tract, { ...over, ...config }).catch((error) => error)).message;
  for (const phases of [[8, 3], [8], [8, 8], [4, 8]])
    assert.match(await refused({ method: { phases } }), /each a smaller divisor of the one before/);
  assert.match(await refused({ generator: { sigmas: [10, 1] } }), /2 noise levels, should have one/);
  assert.match(await refused({ teacher: { use: "gaussian-mixture" } }), /this teacher is not a plain network/);
  assert.match(await refused({ train: { steps: 1 } }), /train.steps is 1, should be at least 2, one for each phase/);
  const generator = { use: "consistency", sigmas: [10] };
  assert.match(await refused({ generator }), /would not say the same with its weights/);
  assert.match(await refused({ averages: { "generator/self": false } }), /self/);
});

test.run();
