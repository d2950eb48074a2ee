import { suite } from "uvu";
import * as assert from "uvu/assert";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { consistency, consistencyMethod } from "../../../plugins/methods/consistency.ts";
import { createdRun, finished, resolvedRecipe } from "./support.ts";

const test = suite("plugins/methods/consistency");

const over = {
  generator: { sigmas: [10] },
  sampler: { steps: 4, sigmaMax: 10 },
  losses: { "consistency-distillation": { levels: 6 } },
  averages: { generator: { warmUp: false, beta: 0.5 } },
};

test("is a well-formed plugin", () => checkPlugin(consistencyMethod, { teacher: { steps: 7 } }));

test("the recipe: Heun's teacher, a target in the average's place, no critic", () => {
  const { config } = resolvedRecipe(consistency);
  assert.is(config.critic, undefined);
  assert.equal(config.averages["generator/target"].beta, 0.95);
  assert.is(config.losses["consistency-distillation"].levels, 40);
});

test("only the generator moves while it distils, from the teacher's weights", async () => {
  const { stages, states } = await finished(consistency, over, { teacher: 3, steps: 4 });
  assert.equal(stages, ["teacher", "teacher", "teacher", ...Array(4).fill("distillation")]);
  const short = await finished(consistency, over, { teacher: 3, steps: 1 });
  assert.equal(states.teacher, short.states.teacher);
  assert.not.equal(states.generator, short.states.generator);
});

test("what goes wrong is said when the run is made", async () => {
  const refused = async (config: object) =>
    (await createdRun(consistency, { ...over, ...config }).catch((error) => error)).message;
  assert.match(
    await refused({ averages: { "generator/target": false } }),
    /target/,
    "the loss asks for an average that is not there",
  );
  assert.match(await refused({ generator: { use: "few-step", sigmas: [10] } }), /no lowest level/);
});

test.run();
