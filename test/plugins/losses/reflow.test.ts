import { suite } from "uvu";
import * as assert from "uvu/assert";
import { flowDenoiser, perSample } from "../../../core/diffusion/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, constantArray, div, mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/losses/reflow");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };

test("is a well-formed plugin", () => checkPlugin(plugins.reflowLoss, { timeMin: 0.01, distance: "l1" }));

/** The loss of a flow of velocity `velocity`, where the teacher leads all noise to one point. */
async function computed(velocity: (xt: Tensor, time: Tensor) => Tensor, numbers?: Record<string, number>) {
  const feed = new Feed();
  const point = constantArray([1, -2], [1, 2]);
  const asked: string[] = [];
  const teacher: Denoiser = { denoise: (x) => add(mul(x, 0), point) };
  const process = plugins.rectifiedFlow();
  const parts = [
    process,
    plugins.mlp(),
    plugins.fewStep({ timesteps: [998] }),
    plugins.euler({ steps: 4, spacing: "trailing" }),
  ];
  const [loss] = compose(shape, ...parts, plugins.reflowLoss()).all(LOSSES);
  const value = loss.compute({
    generated: { x: feed.tensor("x", [64, 2], new Float32Array(128)), condition: {} },
    generator: flowDenoiser(velocity),
    role(name: string) {
      asked.push(name);
      return teacher;
    },
    noise: feed.noise(),
    stage: { name: "reflow 1", numbers },
  } as unknown as LossContext);
  return { value: (await evaluate({ value }, feed, "f64")).value[0], asked };
}

/** With one point as the sample, the straight path through x_t at t has the velocity (x_t − point)/t. */
const straight = (xt: Tensor, time: Tensor) => {
  const t = add(mul(xt, 0), perSample(time, 2));
  return div(sub(xt, constantArray([1, -2], [1, 2])), t);
};

test("is 0 for the constant velocity of each pair, at the times of reflow and of one and four steps", async () => {
  for (const parts of [0, 1, 4]) {
    const { value } = await computed(straight, { parts });
    assert.ok(value < 1e-6, `${value} for ${parts} parts`);
  }
  const other = await computed((xt) => mul(xt, 0.5), { parts: 0 });
  assert.ok(other.value > 0.1);
});

test("later rounds draw from the flow of the round before", async () => {
  assert.equal((await computed(straight, { parts: 0, round: 1 })).asked, ["teacher"]);
  assert.equal((await computed(straight, { parts: 0, round: 2 })).asked, ["flow"]);
});

test("needs a stage that says at which times", async () => {
  const error = await computed(straight).catch((e: Error) => e);
  assert.match((error as Error).message, /the stage reflow 1 has no number of parts/);
});

test.run();
