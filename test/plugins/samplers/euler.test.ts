import { suite } from "uvu";
import * as assert from "uvu/assert";
import { euler } from "../../../plugins/samplers/euler.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertOrder,
  assertSame,
  denoised,
  deviationError,
  discreteSamplerOf,
  END,
  evenLevels,
  flowError,
  samplerOf,
  samples,
} from "./gaussian.ts";

const test = suite("plugins/samplers/euler");

test("comes to the probability flow with order 1", () =>
  assertOrder(1, (steps) => flowError(samplerOf(euler(evenLevels(steps))), END)));

test("N calls, and the step to 0 is the denoiser", async () => {
  assert.is((await samples(samplerOf(euler({ steps: 5 })))).nfe, 5);
  const { eps, x } = await samples(samplerOf(euler({ sigmas: [2] })));
  assertSame(
    x,
    eps.map((each) => denoised(2 * each, 2)),
  );
});

test("with churn the samples have the data's moments, closer with more steps", async () => {
  const churned = (steps: number) => samplerOf(euler({ steps, churn: 10 }));
  await assertMoments(churned(80), 0.04);
  assert.ok((await deviationError(churned(40))) > 1.7 * (await deviationError(churned(80))));
});

test("churnAfter takes the slope before the noise: x + rise·ε + (σ_next − σ̂) (x − D)/σ", async () => {
  const options = { sigmas: [2, 1], churn: 0.5, churnAfter: true };
  const [{ rule, values }] = samplerOf(euler(options)).steps;
  assert.is(rule.name, "eulerBeforeChurn");
  // γ = 0.5/2: σ̂ = 2.5, rise = √(2.5² − 2²)
  assertSame([values.sigma, values.fall, values.rise], [2, -1.5, 1.5]);
});

test("refuses levels that do not fall, or lie the wrong way round", () => {
  const rising = thrown(() => samplerOf(euler({ sigmas: [1, 2] })));
  assert.is(rising.code, "E_OPTION");
  assert.match(rising.message, "Cannot configure euler: its levels are [1, 2, 0], should be finite and decreasing");
  assert.match(thrown(() => samplerOf(euler({ sigmas: [2, 1], end: 1 }))).message, "its levels are [2, 1, 1]");
  const crossed = thrown(() => samplerOf(euler({ sigmaMin: 3, sigmaMax: 2 })));
  assert.is(crossed.code, "E_OPTION");
  assert.match(crossed.message, "sigmaMin is 3 and sigmaMax 2, sigmaMin should be the lower");
  assert.match(thrown(() => euler({ steps: 0 })).message, /steps .*\[1, 10000\].* 0/);
});

test("refuses a table whose first level is pure noise", () => {
  const plugin = euler({ spacing: "trailing" });
  assert.match(
    thrown(() => discreteSamplerOf(plugin, { zeroTerminalSnr: true })).message,
    /its levels are \[Infinity, .* should be finite/,
  );
});

test.run();
