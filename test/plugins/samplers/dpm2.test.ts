import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dpm2 } from "../../../plugins/samplers/dpm2.ts";
import { eulerStep, midpointStep } from "../../../plugins/samplers/shared/rules.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertOrder,
  assertSame,
  denoised,
  END,
  evenLevels,
  flowError,
  samplerOf,
  samples,
} from "./gaussian.ts";

const test = suite("plugins/samplers/dpm2");

test("comes to the probability flow with order 2", () =>
  assertOrder(2, (steps) => flowError(samplerOf(dpm2(evenLevels(steps))), END), 10));

test("a step is Euler to √(σ·next), then the whole way along the slope there", async () => {
  const { eps, x, nfe } = await samples(samplerOf(dpm2({ sigmas: [4], end: 1 })));
  assert.is(nfe, 2);
  const expected = eps.map((each) => {
    const start = 4 * each;
    const halfway = start + ((2 - 4) * (start - denoised(start, 4))) / 4;
    return start + ((1 - 4) * (halfway - denoised(halfway, 2))) / 2;
  });
  assertSame(x, expected);
});

test("2N − 1 calls: the step to 0 is the denoiser", async () => {
  const sampler = samplerOf(dpm2({ sigmas: [4, 2, 1] }));
  assert.equal(
    sampler.steps.map(({ rule }) => rule),
    [midpointStep, midpointStep, eulerStep],
  );
  assert.is((await samples(sampler)).nfe, 5);
});

test("with churn the samples have the data's moments", () =>
  assertMoments(samplerOf(dpm2({ steps: 40, churn: 10 })), 0.015));

test("refuses levels that do not fall", () => {
  const { code, message } = thrown(() => samplerOf(dpm2({ sigmas: [2, 3] })));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure dpm2: its levels are [2, 3, 0], should be finite");
});

test.run();
