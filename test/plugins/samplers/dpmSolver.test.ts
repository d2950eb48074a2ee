import { suite } from "uvu";
import * as assert from "uvu/assert";
import { perSample } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { add, log, mul } from "../../../core/ops/mod.ts";
import { dpmSolver } from "../../../plugins/samplers/dpmSolver.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertOrder,
  assertSame,
  deviationError,
  END,
  evenLevels,
  flowError,
  samplerOf,
  samples,
} from "./gaussian.ts";

const test = suite("plugins/samplers/dpmSolver");
type Options = Parameters<typeof dpmSolver>[0];

const error = (options: Options) => (steps: number) =>
  flowError(samplerOf(dpmSolver({ ...evenLevels(steps), ...options })), END);
const cases: readonly [order: number, Options][] = [
  [1, { order: 1 }],
  [2, { order: 2 }],
  [2, { order: 2, solver: "heun" }],
  [2, { order: 2, predict: "noise" }],
  [2, { order: 2, predict: "noise", solver: "heun" }],
];
for (const [order, options] of cases)
  test(`comes to the probability flow with order ${order}: ${JSON.stringify(options)}`, () =>
    assertOrder(order, error(options)));

test("order 3 comes closer than order 2", async () => {
  assert.ok((await error({ order: 2 })(40)) > 2 * (await error({ order: 3 })(40)));
});

test("order 1 is Euler's method, which is DDIM", async () => {
  const first = await samples(samplerOf(dpmSolver({ steps: 6, order: 1 })));
  assertSame(first.x, (await samples(samplerOf(euler({ steps: 6 })))).x);
});

// D = 1 + 2λ, λ = −ln σ; the flow's x is σ·(x_0/σ_0) + ∫ of it
const straight: Denoiser = {
  denoise: (x, sigma) => add(mul(x, 0), add(1, mul(perSample(log(sigma), 2), -2))),
};
for (const options of [{ order: 2, solver: "heun" }, { order: 3 }] as const)
  test(`a step is exact where D is straight in ln σ: ${JSON.stringify(options)}`, async () => {
    const sigmas = [4, 3, 2, 0.9];
    const sampler = samplerOf(dpmSolver({ ...options, sigmas, end: 0.5, lowerOrderFinal: false }));
    const after = async (steps: number) =>
      (await samples({ ...sampler, steps: sampler.steps.slice(0, steps) }, { denoiser: straight })).x;
    const [before, x] = [await after(3), await after(4)];
    // x/σ grows by ∫ e^λ (1 + 2λ) dλ = e^λ (2λ − 1)
    const grown = (sigma: number) => (-2 * Math.log(sigma) - 1) / sigma;
    assertSame(
      x,
      before.map((each) => 0.5 * (each / 0.9 + grown(0.5) - grown(0.9))),
    );
  });

test("eta 1 gives samples the data's moments: order 1, and 2 for two predictions", async () => {
  await assertMoments(samplerOf(dpmSolver({ steps: 40, eta: 1 })), 0.015);
  const noisy = (options: Options) => (steps: number) =>
    deviationError(samplerOf(dpmSolver({ ...evenLevels(steps), ...options, eta: 1 })), END);
  await assertOrder(1, noisy({ order: 1 }));
  await assertOrder(2, noisy({ order: 2 }));
  await assertOrder(2, noisy({ order: 2, predict: "noise" }));
});

test("N calls; orders rise at the start and fall at the end of few steps", async () => {
  const ordersOf = (options: Options) =>
    samplerOf(dpmSolver({ order: 3, ...options })).steps.map(({ rule }) => Number(rule.name.slice(-1)));
  assert.equal(ordersOf({ steps: 6 }), [1, 2, 3, 3, 2, 1]);
  assert.equal(ordersOf({ steps: 5, end: 0.001, lowerOrderFinal: false }), [1, 2, 3, 3, 3]);
  assert.equal(ordersOf({ steps: 5, end: 0.001, firstOrderFinal: true }), [1, 2, 3, 2, 1]);
  assert.is((await samples(samplerOf(dpmSolver({ steps: 6, order: 3 })))).nfe, 6);
});

test("refuses levels that do not fall", () => {
  const { code, message } = thrown(() => samplerOf(dpmSolver({ sigmas: [2, 3] })));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure dpm-solver: its levels are [2, 3, 0], should be finite");
});

test("refuses to predict noise down to 0, or with half of the noise", () => {
  const atZero = thrown(() => samplerOf(dpmSolver({ predict: "noise" })));
  assert.is(atZero.code, "E_OPTION");
  assert.match(atZero.message, "end is 0 and predict is noise, which needs an end above 0");
  const half = thrown(() => samplerOf(dpmSolver({ predict: "noise", end: 0.001, eta: 0.5 })));
  assert.is(half.code, "E_OPTION");
  assert.match(half.message, "eta is 0.5 and predict is noise, which knows eta 0 and 1");
});

test.run();
