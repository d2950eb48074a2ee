import { suite } from "uvu";
import * as assert from "uvu/assert";
import { consistencyTraining, improvedConsistencyTraining } from "../../../plugins/methods/consistencyTraining.ts";
import { ctm } from "../../../plugins/methods/ctm.ts";
import { meanFlow } from "../../../plugins/methods/meanFlow.ts";
import { scm } from "../../../plugins/methods/scm.ts";
import { createdRun, finished } from "./support.ts";

const test = suite("plugins/methods (ctm, mean flow, scm)");

const over = { generator: { sigmas: [10] }, sampler: { steps: 4, sigmaMax: 10 } };
const recipes = { ct: consistencyTraining, ict: improvedConsistencyTraining, ctm, meanFlow, scm };

for (const [name, recipe] of Object.entries(recipes)) {
  test(`${name}: the generator alone moves; a run that was stopped ends with the same weights`, async () => {
    const lengths = { teacher: 2, steps: 3 };
    const whole = await finished(recipe, over, lengths);
    const stopped = await finished(recipe, over, lengths, { stage: "distillation", step: 1 });
    assert.equal(stopped.states.generator, whole.states.generator);
    const short = await finished(recipe, over, { teacher: 2, steps: 1 });
    assert.equal(whole.states.teacher, short.states.teacher);
    assert.not.equal(whole.states.generator, short.states.generator);
  });
}

test("who was never told an end is refused when the run is made", async () => {
  const refused = async (recipe: Parameters<typeof createdRun>[0], config: object) =>
    (await createdRun(recipe, config).catch((error) => error)).message;
  const untold = /Cannot tell this network where a step ends/;
  assert.match(await refused(meanFlow, { generator: { use: "few-step" } }), untold);
  assert.match(await refused(meanFlow, { sampler: { use: "mean-flow" } }), untold);
});

test("sCM refuses another generator when the run is made", async () => {
  const made = createdRun(scm, { ...over, generator: { use: "few-step", sigmas: [10] } });
  assert.match((await made.catch((error) => error)).message, /the generator has no log-variance/);
});

test.run();
