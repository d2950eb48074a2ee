import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { boot } from "../../../plugins/methods/boot.ts";
import { dfno } from "../../../plugins/methods/dfno.ts";
import { kd } from "../../../plugins/methods/knowledgeDistillation.ts";
import { instaflow, reflow, reflowMethod } from "../../../plugins/methods/reflow.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods/reflow, and recipes on the teacher's path");

const over = { sampler: { steps: 3 }, averages: { generator: { warmUp: false, beta: 0.5 } } };

test("is a well-formed plugin", () => checkPlugin(reflowMethod, { rounds: 2, lastSteps: 4 }));

test("rounds of reflow, then distillation into as many Euler steps as it says", async () => {
  const lengths = { teacher: 1, steps: 4 };
  const method = { method: { rounds: 2, lastSteps: 2 } };
  const { stages, states } = await finished(reflow, { ...over, ...method }, lengths);
  assert.equal(stages, ["teacher", "reflow 1", "reflow 2", "distillation", "distillation"]);
  const stopped = await finished(reflow, { ...over, ...method }, lengths, { stage: "reflow 2", step: 0 });
  assert.equal(stopped.states, states, "a run that is stopped between the rounds ends in the same bits");
  assert.equal(stopped.nfes[0], 3, "within a round the flow is drawn by the run's sampler");
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (config: object) =>
    ((await createdRun(reflow, { ...over, ...config }).catch((error) => error)) as Error).message;
  assert.match(
    await refused({ generator: { timesteps: [998, 500] } }),
    /the generator has 2 noise levels, should have one/,
  );
  for (const use of ["bootstrapped", "operator"]) {
    const made = createdRun({ ...reflow, generator: { use, sigmas: [10] } }, over);
    assert.match((await made.catch((error) => error)).message, /the generator answers at its first noise level alone/);
  }
  assert.match(
    await refused({ method: { rounds: 3 }, train: { steps: 4 } }),
    /4 train\.steps leave 0 for each of 3 rounds and 4 for the distillation/,
  );
  assert.match(await refused({ sampler: { churn: 3 } }), /the sampler draws fresh noise on its way/);
});

test("the recipes: of the teacher's pairs and trajectories, and of none", () => {
  const names = (recipe: typeof kd) => resolvedRecipe(recipe).losses.map(([name]) => name);
  assert.equal(names(kd), ["edm-denoising", "knowledge-distillation"]);
  assert.equal(names(dfno), ["edm-denoising", "trajectory"]);
  assert.equal(names(boot), ["edm-denoising", "bootstrap"]);
  assert.equal(names(instaflow), ["reflow"]);
  assert.is(resolvedRecipe(instaflow).config.teacher.guidanceScale, 6);
});

test("kd, dfno and boot run from the teacher's weights", async () => {
  const levels = { sampler: { use: "euler", sigmas: [10, 5, 2] }, averages: over.averages };
  for (const [recipe, generator] of [
    [kd, { sigmas: [10, 2] }],
    [dfno, { sigmas: [10], levels: [5], width: 2, blocks: 1 }],
    [boot, { sigmas: [10] }],
  ] as const) {
    const { stages } = await finished(recipe, { ...levels, generator }, { teacher: 1, steps: 2 });
    assert.equal(stages, ["teacher", "distillation", "distillation"]);
  }
});

test.run();
