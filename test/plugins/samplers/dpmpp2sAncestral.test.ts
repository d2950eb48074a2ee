import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dpmpp2sAncestral } from "../../../plugins/samplers/dpmpp2sAncestral.ts";
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

const test = suite("plugins/samplers/dpmpp2sAncestral");

test("eta 0 comes to the probability flow with order 2", () =>
  assertOrder(2, (steps) => flowError(samplerOf(dpmpp2sAncestral({ ...evenLevels(steps), eta: 0 })), END), 10));

test("a step is towards the clean sample that the midpoint sees", async () => {
  const sampler = samplerOf(dpmpp2sAncestral({ sigmas: [4], end: 1, eta: 0 }));
  const { eps, x, nfe } = await samples(sampler);
  assert.is(nfe, 2);
  const expected = eps.map((each) => {
    const start = 4 * each;
    const halfway = 0.5 * start + 0.5 * denoised(start, 4);
    return 0.25 * start + 0.75 * denoised(halfway, 2);
  });
  assertSame(x, expected);
});

test("the samples have the data's moments", () => assertMoments(samplerOf(dpmpp2sAncestral({ steps: 40 })), 0.015));

test("2N − 1 calls; noise after every step but the last", async () => {
  const sampler = samplerOf(dpmpp2sAncestral({ sigmas: [4, 2, 1] }));
  assert.equal(
    sampler.steps.map(({ rule }) => rule.name),
    ["twoStages and noise", "twoStages and noise", "eulerStep"],
  );
  assert.is((await samples(sampler)).nfe, 5);
});

test("refuses levels that do not fall", () => {
  const { code, message } = thrown(() => samplerOf(dpmpp2sAncestral({ sigmas: [2, 3] })));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure dpmpp-2s-ancestral: its levels are [2, 3, 0]");
});

test.run();
