import { suite } from "uvu";
import * as assert from "uvu/assert";
import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { progressiveLoss } from "../../../plugins/losses/progressive.ts";
import { roundLevels } from "../../../plugins/losses/shared/progressive.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/progressive");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
const bounds = { sigmaMin: 0.002, sigmaMax: 10, rho: 7 };

test("is a well-formed plugin", () => checkPlugin(progressiveLoss, { levelWeight: "uniform" }));

const scaled = (factor: number): Denoiser => ({ denoise: (x) => mul(x, factor) });

async function computed(generator: Denoiser, teacher: Denoiser, numbersOfStage?: object) {
  const feed = new Feed();
  const levels: Tensor[] = [];
  const watched: Denoiser = {
    denoise(x, sigma, condition) {
      levels.push(sigma);
      return teacher.denoise(x, sigma, condition);
    },
  };
  const [loss] = compose(shape, progressiveLoss()).all(LOSSES);
  const value = loss.compute({
    real: { x: feed.tensor("x", [64, 2], numbers([64, 2])), condition: {} },
    generator,
    teacher: watched,
    noise: feed.noise(),
    stage: { name: "round 1", numbers: numbersOfStage },
  } as unknown as LossContext);
  const [first, middle] = levels.map((level) => add(level, 0));
  return evaluate({ value, first, middle }, feed, "f64");
}

test("is 0 for a generator that is the teacher where paths are straight, and above 0 for another", async () => {
  const stage = { steps: 4, ...bounds };
  assert.ok((await computed(scaled(0), scaled(0), stage)).value[0] < 1e-9);
  assert.ok((await computed(scaled(0.5), scaled(0), stage)).value[0] > 1e-3);
});

test("levels: those of the stage's grid, the teacher's first step from every second one", async () => {
  const { first, middle } = await computed(scaled(0), scaled(0), { steps: 2, ...bounds });
  const grid = karrasSigmas(5, bounds);
  const near = (value: number) => grid.findIndex((each) => Math.abs(value / each - 1) < 1e-4);
  assert.equal([...new Set(first)].map(near).sort(), [0, 2]);
  for (const [i, level] of first.entries()) assert.is(near(middle[i]), near(level) + 1);
});

test("the cosine schedule ends at the clean sample, and is even in its angle", () => {
  const levels = roundLevels(5, { ...bounds, cosine: 1 });
  assert.equal([levels[0].toFixed(9), levels[4]], ["10.000000000", 0]);
  const angles = levels.slice(0, 4).map(Math.atan);
  assert.ok(Math.abs(angles[0] - 2 * angles[1] + angles[2]) < 1e-12);
});

test("on the cosine schedule a step to the clean sample aims at what the teacher's second step predicts", async () => {
  const stage = { steps: 1, cosine: 1, ...bounds };
  assert.ok((await computed(scaled(0), scaled(0), stage)).value[0] < 1e-9);
});

test("needs a stage that says how many steps there are", async () => {
  const error = await computed(scaled(0), scaled(0)).catch((e: Error) => e);
  assert.match((error as Error).message, /the stage round 1 has no number of steps/);
});

test.run();
