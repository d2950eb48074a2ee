import { suite } from "uvu";
import * as assert from "uvu/assert";
import { perSample } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { add, mul, sub } from "../../../core/ops/mod.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { lms } from "../../../plugins/samplers/lms.ts";
import { thrown } from "../../helpers/thrown.ts";
import { assertOrder, assertSame, END, evenLevels, flowError, samplerOf, samples } from "./gaussian.ts";

const test = suite("plugins/samplers/lms");

test("order 1 is Euler's method", async () => {
  const first = await samples(samplerOf(lms({ steps: 6, order: 1 })));
  assertSame(first.x, (await samples(samplerOf(euler({ steps: 6 })))).x);
});

test("order 2 comes to the probability flow with order 2, order 4 closer", async () => {
  const error = (steps: number, order: number) => flowError(samplerOf(lms({ ...evenLevels(steps), order })), END);
  await assertOrder(2, (steps) => error(steps, 2));
  assert.ok((await error(20, 2)) > 4 * (await error(20, 4)));
});

test("with k slopes a step is exact where the slope is a polynomial of degree k − 1 in σ", async () => {
  const sigmas = [3, 2.5, 1.7, 1, 0.8];
  // d = (x − D)/σ = 2 − 3σ + σ³
  const cubic: Denoiser = {
    denoise(x, sigma) {
      const s = perSample(sigma, 2);
      return sub(x, mul(s, add(2, mul(s, sub(mul(s, s), 3)))));
    },
  };
  const integral = (s: number) => 2 * s - 1.5 * s ** 2 + s ** 4 / 4;
  const after = async (steps: number) => {
    const sampler = samplerOf(lms({ sigmas, order: 4, end: 0.5 }));
    const { x } = await samples({ ...sampler, steps: sampler.steps.slice(0, steps) }, { denoiser: cubic });
    return x;
  };
  const [third, fourth, last] = [await after(3), await after(4), await after(5)];
  assertSame(
    fourth.map((each, i) => each - third[i]),
    third.map(() => integral(0.8) - integral(1)),
  );
  assertSame(
    last.map((each, i) => each - fourth[i]),
    last.map(() => integral(0.5) - integral(0.8)),
  );
  const second = await after(2);
  assert.ok(Math.abs(third[0] - second[0] - (integral(1) - integral(1.7))) > 1e-2);
});

test("N calls; the first steps have fewer slopes", async () => {
  const sampler = samplerOf(lms({ steps: 4, order: 3 }));
  assert.equal(
    sampler.steps.map(({ rule }) => rule.name),
    [1, 2, 3, 3].map((order) => `lms of order ${order}`),
  );
  assert.is((await samples(sampler)).nfe, 4);
});

test("refuses levels that do not fall, and an order of 0", () => {
  const { code, message } = thrown(() => samplerOf(lms({ sigmas: [2, 3] })));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure lms: its levels are [2, 3, 0], should be finite");
  assert.match(thrown(() => lms({ order: 0 })).message, /order .*\[1, 8\].* 0/);
});

test.run();
