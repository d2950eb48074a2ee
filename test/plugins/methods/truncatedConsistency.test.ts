import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { truncatedConsistency, truncatedConsistencyMethod } from "../../../plugins/methods/truncatedConsistency.ts";
import { createdRun, finished } from "./support.ts";

const test = suite("plugins/methods/truncatedConsistency");

const over = { generator: { sigmas: [10] }, sampler: { steps: 4, sigmaMax: 10 } };

test("is a well-formed plugin", () => checkPlugin(truncatedConsistencyMethod, { earlier: 0.3 }));

test("the earlier model learns, then stays while the generator does; a stopped run goes on as if it had not been", async () => {
  const lengths = { teacher: 2, steps: 4 };
  const whole = await finished(truncatedConsistency, over, lengths);
  assert.equal(whole.stages, ["teacher", "teacher", "consistency", "consistency", "truncation", "truncation"]);
  for (const stop of [
    { stage: "consistency", step: 1 },
    { stage: "truncation", step: 1 },
  ])
    assert.equal((await finished(truncatedConsistency, over, lengths, stop)).states, whole.states, stop.stage);
  assert.not.equal(whole.states.generator, whole.states.teacher);
});

test("refuses a run in which a stage has no steps", async () => {
  const made = createdRun(truncatedConsistency, { ...over, train: { steps: 1 } });
  assert.match((await made.catch((error) => error)).message, /train.steps is 1, should leave both stages some/);
});

test.run();
