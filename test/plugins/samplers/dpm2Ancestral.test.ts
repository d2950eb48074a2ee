import { suite } from "uvu";
import * as assert from "uvu/assert";
import { dpm2 } from "../../../plugins/samplers/dpm2.ts";
import { dpm2Ancestral } from "../../../plugins/samplers/dpm2Ancestral.ts";
import { eulerStep, midpointStep, withNoise } from "../../../plugins/samplers/shared/rules.ts";
import { thrown } from "../../helpers/thrown.ts";
import { assertMoments, assertSame, deviationError, END, evenLevels, samplerOf, samples } from "./gaussian.ts";

const test = suite("plugins/samplers/dpm2Ancestral");

test("eta 0 is the midpoint method", async () => {
  const ancestral = await samples(samplerOf(dpm2Ancestral({ steps: 6, eta: 0 })));
  const plain = await samples(samplerOf(dpm2({ steps: 6 })));
  assertSame(ancestral.x, plain.x);
});

test("the samples have the data's moments, closer with more steps", async () => {
  await assertMoments(samplerOf(dpm2Ancestral({ steps: 40 })), 0.015);
  const error = (steps: number) => deviationError(samplerOf(dpm2Ancestral(evenLevels(steps))), END);
  assert.ok((await error(20)) > 3 * (await error(40)));
});

test("2N − 1 calls; noise after every step but the last", async () => {
  const sampler = samplerOf(dpm2Ancestral({ sigmas: [4, 2, 1] }));
  assert.equal(
    sampler.steps.map(({ rule }) => rule),
    [withNoise(midpointStep), withNoise(midpointStep), eulerStep],
  );
  assert.is((await samples(sampler)).nfe, 5);
});

test("refuses levels that do not fall", () => {
  const { code, message } = thrown(() => samplerOf(dpm2Ancestral({ sigmas: [2, 3] })));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure dpm2-ancestral: its levels are [2, 3, 0]");
});

test.run();
