import { suite } from "uvu";
import * as assert from "uvu/assert";
import { OPTIMIZERS } from "../../../core/interfaces/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { adamw } from "../../../plugins/optimizers/adamw.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/optimizers/adamw");

const optimizerOf = (options?: Parameters<typeof adamw>[0]) =>
  compose({ sample: [1], condition: {}, sigmaData: 0.5 }, adamw(options)).all(OPTIMIZERS)[0];

test("is a well-formed plugin", () => checkPlugin(adamw, { role: "critic", decay: "cosine", decoupled: false }));

test("every role can have one of its own", () => {
  const roles = ["teacher", "generator", "critic"] as const;
  const plugins = roles.map((role) => adamw({ role }));
  const found = compose({ sample: [1], condition: {}, sigmaData: 0.5 }, ...plugins).all(OPTIMIZERS);
  assert.equal(
    found.map(({ role }) => role),
    [...roles],
  );
});

test("clip 0 never clips", () => {
  assert.is(optimizerOf({ clip: 0 }).clip, Infinity);
  assert.is(optimizerOf().clip, 10);
});

/** The learning rate at a step: at update 0 the mean's correction is 1 − β₁. */
const rate = (options: Parameters<typeof adamw>[0], step: number, steps = 1000) =>
  optimizerOf({ ...options, beta1: 0.5 }).scalars({ update: 0, step, steps }).stepSize / 2;

test("the rate rises with the schedule's steps, from 0, and stays or falls to 0 as a cosine or a line", () => {
  const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-9, `${a}, should be ${b}`);
  const warm = { lr: 0.1, warmup: 50 };
  for (const [step, expected] of [
    [0, 0],
    [25, 0.05],
    [50, 0.1],
    [999, 0.1],
  ])
    close(rate(warm, step), expected);
  const cosine = { lr: 0.1, decay: "cosine" } as const;
  for (const [step, expected] of [
    [0, 0.1],
    [500, 0.05],
    [1000, 0],
  ])
    close(rate(cosine, step), expected);
  close(rate({ ...warm, decay: "linear" }, 525), 0.05);
});

for (const decoupled of [true, false])
  test(`three updates ${decoupled ? "as AdamW" : "as Adam with L2"}, against the formula in float64`, async () => {
    const options = { lr: 0.1, weightDecay: 0.3, beta1: 0.8, beta2: 0.9, eps: 1e-3, decoupled };
    const optimizer = optimizerOf(options);
    let [p, m, v] = [0.7, 0, 0];
    let state = { weights: [p], moments: { moment1: [0], moment2: [0] } };
    for (const [update, gradient] of [0.5, -1.5, 0.2].entries()) {
      const feed = new Feed();
      const moments = {
        moment1: feed.tensor("m", [1], state.moments.moment1),
        moment2: feed.tensor("v", [1], state.moments.moment2),
      };
      const numbers = optimizer.scalars({ update, step: update, steps: 3 });
      const scalars = Object.fromEntries(
        Object.entries(numbers).map(([name, value]) => [name, feed.tensor(name, [], [value])]),
      );
      const next = optimizer.update(
        feed.tensor("p", [1], state.weights),
        feed.tensor("g", [1], [gradient]),
        moments,
        scalars,
      );
      const result = await evaluate<Record<string, Tensor>>({ weights: next.weights, ...next.moments }, feed, "f64");
      state = {
        weights: [...result.weights],
        moments: { moment1: [...result.moment1], moment2: [...result.moment2] },
      };
      const g = gradient + (decoupled ? 0 : 0.3 * p);
      m = 0.8 * m + 0.2 * g;
      v = 0.9 * v + 0.1 * g * g;
      if (decoupled) p *= 1 - 0.1 * 0.3;
      const t = update + 1;
      p -= ((0.1 / (1 - 0.8 ** t)) * m) / (Math.sqrt(v / (1 - 0.9 ** t)) + 1e-3);
      assert.ok(Math.abs(state.weights[0] - p) < 1e-6, `${state.weights[0]}, should be ${p}`);
    }
  });

test.run();
