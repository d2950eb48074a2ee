import { suite } from "uvu";
import * as assert from "uvu/assert";
import { karrasSigmas } from "../../../core/diffusion/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { tractLoss } from "../../../plugins/losses/tract.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/losses/tract");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
const stage = { levels: 4, teacherSteps: 4, steps: 2, order: 2, sigmaMin: 0.1, sigmaMax: 10, rho: 7 };

test("is a well-formed plugin", () => checkPlugin(tractLoss, { clip: 1, levelWeight: "uniform" }));

const scaled = (factor: number): Denoiser => ({ denoise: (x) => mul(x, factor) });

async function computed(generator: number, others: number, given: object | undefined) {
  const feed = new Feed();
  const seen: Tensor[] = [];
  const teacher: Denoiser = {
    denoise(x, sigma, condition) {
      seen.push(sigma);
      return scaled(others).denoise(x, sigma, condition);
    },
  };
  const [loss] = compose(shape, tractLoss()).all(LOSSES);
  const value = loss.compute({
    real: { x: feed.tensor("x", [64, 2], numbers([64, 2])), condition: {} },
    generator: scaled(generator),
    teacher,
    average: () => scaled(others),
    noise: feed.noise(),
    stage: { name: "phase 1", numbers: given },
  } as unknown as LossContext);
  return evaluate({ value, sigma: add(seen[0], 0) }, feed, "f64");
}

test("is 0 for a generator that is its teachers where paths are straight, and above 0 for another", async () => {
  assert.ok((await computed(0, 0, stage)).value[0] < 1e-9);
  assert.ok((await computed(0.5, 0, stage)).value[0] > 1e-3);
});

test("levels: all of the grid, and of a later phase those that its teacher knows", async () => {
  const grid = karrasSigmas(4, stage);
  const near = (value: number) => grid.findIndex((each) => Math.abs(value / each - 1) < 1e-4);
  const places = async (given: object) => [...new Set((await computed(0, 0, given)).sigma)].map(near).sort();
  assert.equal(await places(stage), [0, 1, 2, 3]);
  assert.equal(await places({ ...stage, teacherSteps: 2, steps: 1, order: 1 }), [0, 2]);
});

test("needs a stage that says how many steps there are", async () => {
  const error = await computed(0, 0, undefined).catch((e: Error) => e);
  assert.match((error as Error).message, /the stage phase 1 has no levels and steps/);
});

test.run();
