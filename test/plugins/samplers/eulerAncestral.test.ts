import { suite } from "uvu";
import * as assert from "uvu/assert";
import { euler } from "../../../plugins/samplers/euler.ts";
import { eulerAncestral } from "../../../plugins/samplers/eulerAncestral.ts";
import { eulerStep, withNoise } from "../../../plugins/samplers/shared/rules.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertOrder,
  assertSame,
  deviationError,
  END,
  evenLevels,
  samplerOf,
  samples,
} from "./gaussian.ts";

const test = suite("plugins/samplers/eulerAncestral");

test("eta 0 is Euler's method", async () => {
  const ancestral = await samples(samplerOf(eulerAncestral({ steps: 6, eta: 0 })));
  const plain = await samples(samplerOf(euler({ steps: 6 })));
  assertSame(ancestral.x, plain.x);
});

test("the samples' deviation comes to the data's with order 1", async () => {
  await assertOrder(1, (steps) => deviationError(samplerOf(eulerAncestral(evenLevels(steps))), END));
  await assertMoments(samplerOf(eulerAncestral({ steps: 80 })), 0.04);
});

test("N calls; noise after every step but the last, as much as keeps down² + up² = next²", async () => {
  const sampler = samplerOf(eulerAncestral({ sigmas: [4, 2, 1], eta: 1 }));
  assert.equal(
    sampler.steps.map(({ rule }) => rule),
    [withNoise(eulerStep), withNoise(eulerStep), eulerStep],
  );
  for (const [i, next] of [2, 1].entries()) {
    const { sigma, keep, up } = sampler.steps[i].values;
    assert.ok(Math.abs(Math.hypot(sigma * keep, up) - next) < 1e-12);
  }
  assert.is((await samples(sampler)).nfe, 3);
});

test("noiseScale is a factor on the fresh noise", () => {
  const upOf = (noiseScale: number) => samplerOf(eulerAncestral({ sigmas: [4, 2], noiseScale })).steps[0].values.up;
  assert.is(upOf(0.5), 0.5 * upOf(1));
});

test("refuses levels that do not fall", () => {
  const { code, message } = thrown(() => samplerOf(eulerAncestral({ sigmas: [1, 1] })));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure euler-ancestral: its levels are [1, 1, 0]");
});

test.run();
