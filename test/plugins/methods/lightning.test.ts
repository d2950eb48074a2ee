import { suite } from "uvu";
import * as assert from "uvu/assert";
import { constant } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { judgedSteps } from "../../../plugins/losses/shared/stepJudgement.ts";
import { lightning, lightningMethod } from "../../../plugins/methods/lightning.ts";
import { evaluate, Feed, numbers } from "../support.ts";
import { finished } from "./support.ts";

const test = suite("plugins/methods/lightning");

test("a generator of the same straight paths steps exactly as its teacher", async () => {
  const feed = new Feed();
  const at = (name: string, level: number) => feed.tensor(name, [3], [level, level, level]);
  const samples = {
    x: feed.tensor("x", [3, 2], numbers([3, 2])),
    eps: feed.tensor("eps", [3, 2], numbers([3, 2], 1)),
    condition: {},
    sigma: at("sigma", 4),
    middle: at("middle", 2),
    next: at("next", 1),
  };
  const straight = { denoise: () => constant(0.25, "f32", [3, 2]) };
  const steps = judgedSteps(samples, { generator: straight, teacher: straight });
  const { taught, made } = await evaluate({ taught: steps.taught.xt, made: steps.made.xt }, feed, "f64");
  for (const [i, each] of made.entries()) assert.ok(Math.abs(each - taught[i]) < 1e-6);
  // x̃ = D + (next/σ)(x_t − D)
  const xt = numbers([3, 2]).map((x, i) => x + 4 * numbers([3, 2], 1)[i]);
  for (const [i, each] of made.entries()) assert.ok(Math.abs(each - (0.25 + (xt[i] - 0.25) / 4)) < 1e-5);
});

const over = {
  method: { firstSteps: 2 },
  generator: { sigmas: [10] },
  sampler: { steps: 4, sigmaMax: 10 },
  critic: { headWidth: 4 },
};

test("is a well-formed plugin", () => checkPlugin(lightningMethod, { firstSteps: 8, relaxed: 0 }));

test("each round sees both ends of a step first, then the last alone; it resumes exactly", async () => {
  const lengths = { teacher: 1, steps: 8 };
  const whole = await finished(lightning, over, lengths);
  const counts = new Map<string, number>();
  for (const stage of whole.stages) counts.set(stage, (counts.get(stage) ?? 0) + 1);
  assert.equal([...counts.keys()], ["teacher", "round 1", "round 1, relaxed", "round 2", "round 2, relaxed"]);
  const parts = await finished(lightning, over, lengths, { stage: "round 1, relaxed", step: 1 });
  assert.equal(parts.states, whole.states);
});

test("a critic that judges images is refused", async () => {
  const found = await finished(lightning, { ...over, critic: { use: "fake-score" } }, { teacher: 1, steps: 8 }).catch(
    (error) => error,
  );
  assert.match(found.message, /the critic judges images, it should judge steps/);
});

test.run();
