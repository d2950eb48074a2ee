import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { progressive, progressiveMethod } from "../../../plugins/methods/progressive.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods/progressive");

const over = {
  method: { firstSteps: 4 },
  generator: { sigmas: [10] },
  sampler: { steps: 4, sigmaMax: 10 },
};

test("is a well-formed plugin", () => checkPlugin(progressiveMethod, { firstSteps: 8 }));

test("the recipe: from 16 steps to one", () => {
  const { config } = resolvedRecipe(progressive);
  assert.equal([config.method.firstSteps, config.method.lastSteps], [16, 1]);
});

test("rounds of 4, 2 and 1 steps; those of two and of one are twice as long", async () => {
  const { stages } = await finished(progressive, over, { teacher: 2, steps: 10 });
  const counts = new Map<string, number>();
  for (const stage of stages) counts.set(stage, (counts.get(stage) ?? 0) + 1);
  assert.equal(
    [...counts],
    [
      ["teacher", 2],
      ["round 1", 2],
      ["round 2", 4],
      ["round 3", 4],
    ],
  );
});

test("steps of the samples it draws go on from round to round, so that no picture takes another's name", async () => {
  const { drawn } = await finished(progressive, { ...over, train: { sampleEvery: 2 } }, { teacher: 2, steps: 10 });
  const generator = drawn.filter((each) => each.startsWith("generator"));
  // In the middle of rounds 2 and 3, which begin after 2 and 6 steps, and at the end.
  assert.equal(generator, ["generator-4", "generator-8", "generator-10"]);
});

test("a stopped round draws with as many steps as its generator takes", async () => {
  const stopped = await finished(progressive, over, { teacher: 2, steps: 10 }, { stage: "round 2", step: 2 });
  const calls = new Set(stopped.nfes);
  assert.equal([...calls], [2, 1]); // of the picture at the stop, and of the end
});

test("the generator of a round is the teacher of the next", async () => {
  const one = { method: { firstSteps: 2, lastSteps: 2 } };
  const first = await finished(progressive, { ...over, ...one }, { teacher: 2, steps: 4 });
  const both = await finished(progressive, { ...over, method: { firstSteps: 2 } }, { teacher: 2, steps: 8 });
  assert.equal(both.states.teacher, first.states.generator);
  assert.not.equal(both.states.generator, first.states.generator);
});

test("stopped in a later round and resumed, it ends as if it had not been", async () => {
  const lengths = { teacher: 2, steps: 10 };
  const whole = await finished(progressive, over, lengths);
  const parts = await finished(progressive, over, lengths, { stage: "round 2", step: 2 });
  assert.equal(parts.states, whole.states);
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (config: object) =>
    (await createdRun(progressive, { ...over, ...config }).catch((error) => error)).message;
  assert.match(
    await refused({ method: { firstSteps: 6 } }),
    /firstSteps is 6 and lastSteps 1, halving the first should lead to the last/,
  );
  assert.match(
    await refused({ train: { steps: 4 } }),
    /4 of the train.steps are for the 3 rounds, should be at least 5/,
  );
  assert.match(await refused({ method: { firstSteps: 1, lastSteps: 2 } }), /halving the first/);
  assert.match(await refused({ generator: { sigmas: [10, 1] } }), /2 noise levels, should have one/);
  assert.match(await refused({ teacher: { use: "gaussian-mixture" } }), /this teacher is not a plain network/);
  assert.match(
    await refused({ generator: { sigmas: [10], lora: { rank: 2, targets: ["net.0"] } } }),
    /the teacher has no parameter/,
  );
  for (const use of ["consistency", "latent-consistency"])
    assert.match(await refused({ generator: { use, sigmas: [10] } }), /would not say the same with its weights/);
  const alone = await refused({ generator: { use: "bootstrapped", sigmas: [10] } });
  assert.match(alone, /the generator answers at its first noise level alone, should do so at all below it/);
});

test.run();
