import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { guidedDistillation, guidedDistillationMethod } from "../../../plugins/methods/guidedDistillation.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods/guidedDistillation");

const over = {
  dataset: { classes: true },
  network: { labelDropout: 0.1 },
  method: { firstSteps: 2 },
  generator: { sigmas: [10] },
  sampler: { steps: 4, sigmaMax: 10 },
};

test("is a well-formed plugin", () => checkPlugin(guidedDistillationMethod, { firstSteps: 8, matching: 0.5 }));

test("the recipe: from 16 steps to one, told scales from 1 to 4", () => {
  const { config } = resolvedRecipe({ ...guidedDistillation });
  assert.equal([config.method.firstSteps, config.generator.guidanceMax], [16, 4]);
});

test("matching, then rounds; stopped in one and resumed it ends as if it had not been", async () => {
  const lengths = { teacher: 2, steps: 8 };
  const whole = await finished(guidedDistillation, over, lengths);
  const names = [
    "teacher",
    "teacher",
    "matching",
    "matching",
    ...Array(3).fill("round 1"),
    ...Array(3).fill("round 2"),
  ];
  assert.equal(whole.stages, names);
  const parts = await finished(guidedDistillation, over, lengths, { stage: "round 2", step: 1 });
  assert.equal(parts.states, whole.states);
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (config: object) =>
    (await createdRun(guidedDistillation, { ...over, ...config }).catch((error) => error)).message;
  assert.match(await refused({ method: { firstSteps: 6 } }), /halving the first should lead to the last/);
  assert.match(
    await refused({ train: { steps: 8 }, method: { firstSteps: 2, matching: 0.01 } }),
    /none of 8 train.steps are for the first stage/,
  );
  assert.match(await refused({ dataset: {} }), /the data have neither texts nor classes/);
  assert.match(await refused({ network: {} }), /never seen a sample without its class/);
  assert.match(await refused({ generator: { sigmas: [10, 1] } }), /2 noise levels, should have one/);
  const untold = { use: "few-step", sigmas: [10], guidanceScale: null };
  assert.match(await refused({ generator: untold }), /learns guidance scales 1 to 4, and there is none to draw/);
  assert.match(await refused({ generator: { ...untold, guidanceMax: 1 } }), /told no guidance scale/);
});

test.run();
