import { suite } from "uvu";
import * as assert from "uvu/assert";
import { karrasSigmas, perSample } from "../../../core/diffusion/mod.ts";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, constantArray, div, equal, mul, square, where } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import * as plugins from "../../../plugins/mod.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/losses/bootstrap");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
const levels = { sigmaMin: 0.1, sigmaMax: 10 };
const N = 6;

test("is a well-formed plugin", () => checkPlugin(plugins.bootstrap, { weighting: "none", rho: 7 }));

/** The denoiser of data N(0, 1): x/(1 + σ²). */
const teacher: Denoiser = { denoise: (x, sigma) => div(x, perSample(add(square(sigma), 1), x.shape.length)) };
const grid = karrasSigmas(N, { ...levels, rho: 3 });
/** What multiplies ε in the clean part of the path's states, by DDIM's steps of that teacher from its first prediction. */
const path = grid.slice(1).reduce(
  (known, next, i) => {
    const [y, sigma] = [known[i], grid[i]];
    const denoised = (y + sigma) / (1 + sigma ** 2);
    known.push(y + (1 - next / sigma) * (denoised - y));
    return known;
  },
  [grid[0] / (1 + grid[0] ** 2)],
);

async function computed(factors: readonly number[], generator: object = {}) {
  const feed = new Feed();
  const lead = (eps: Tensor, level: Tensor) => {
    const at = factors.reduce(
      (chosen, factor, i) => where(equal(level, constantArray([grid[i]], [1])), factor, chosen),
      mul(level, 0),
    );
    return mul(eps, perSample(at, 2));
  };
  const parts = [
    plugins.mlp(),
    plugins.bootstrapped({ sigmas: [10], sigmaMin: 0.1 }),
    plugins.bootstrap({ levels: N }),
  ];
  const [loss] = compose(shape, ...parts).all(LOSSES);
  const value = loss.compute({
    generated: { x: feed.tensor("x", [64, 2], new Float32Array(128)), condition: {} },
    role: () => ({ lead, ...generator }),
    teacher,
    noise: feed.noise(),
    stage: { name: "distillation" },
  } as unknown as LossContext);
  return (await evaluate({ value }, feed, "f64")).value[0];
}

test("is 0 on the teacher's own path, from its first prediction on by DDIM's steps", async () => {
  const exact = await computed(path);
  assert.ok(exact < 1e-8, `${exact}`);
  const wrong = await computed(path.map((factor, i) => (i === 3 ? factor + 0.1 : factor)));
  assert.ok(wrong > 1e-4, `${wrong}`);
  const late = await computed(path.map((factor, i) => (i === 0 ? factor + 0.5 : factor)));
  assert.ok(late > 1e-2, "the first level is held to the teacher's prediction");
});

test("refuses a generator that can't be told a level", async () => {
  const error = await computed(path, { lead: undefined }).catch((e: Error) => e);
  assert.match((error as Error).message, /the generator can't be told a level of the teacher's path/);
  const parts = [plugins.mlp(), plugins.fewStep({ sigmas: [10] }), plugins.bootstrap()];
  assert.throws(() => compose(shape, ...parts).all(LOSSES), /the generator can't be told a level/);
});

test.run();
