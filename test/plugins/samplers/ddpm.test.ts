import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ddpm } from "../../../plugins/samplers/ddpm.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertSame,
  DEVIATION,
  deviationError,
  discreteSamplerOf,
  evenTimesteps,
  mixing,
  momentsOf,
  samples,
  table,
} from "./gaussian.ts";

const test = suite("plugins/samplers/ddpm");

test("the samples have the data's moments, with the deviation closer for more steps", async () => {
  const small = (steps: number) => discreteSamplerOf(ddpm({ timesteps: evenTimesteps(steps) }));
  await assertMoments(small(100), 0.035);
  assert.ok((await deviationError(small(20))) > 1.4 * (await deviationError(small(40))));
});

test("the variance of the data lies between what `small` and `large` give", async () => {
  const timesteps = evenTimesteps(20);
  const small = await momentsOf(discreteSamplerOf(ddpm({ timesteps })));
  const large = await momentsOf(discreteSamplerOf(ddpm({ timesteps, variance: "large" })));
  assert.ok(small.deviation < DEVIATION && large.deviation > DEVIATION);
  assert.ok(large.deviation - small.deviation > 0.05);
});

test("a step is the posterior of x_p: what x_t and its clean sample imply, and noise", () => {
  const [from, to] = [mixing(749), mixing(499)];
  const alpha = (from.signal / to.signal) ** 2;
  const valuesOf = (variance: "small" | "large") =>
    discreteSamplerOf(ddpm({ timesteps: [749, 499], variance })).steps[0].values;
  const { sigma, take, keep, up } = valuesOf("small");
  assert.is(sigma, table.sigmas[749]);
  // x_p = a_p·x0 + …: signal add up, and the noise of x_t that is kept and the fresh one make b_p.
  assertSame([take + keep * from.signal, Math.hypot(keep * from.noise, up)], [to.signal, to.noise]);
  assertSame([valuesOf("large").up], [Math.sqrt(1 - alpha)]);
});

test("one call a timestep; none at 0 adds noise, and the last step keeps a trace at most", async () => {
  const { steps } = discreteSamplerOf(ddpm({ steps: 4 }));
  assert.equal(
    steps.map(({ rule }) => rule.name),
    [...new Array(3).fill("predictStep and noise"), "predictStep"],
  );
  const sampler = discreteSamplerOf(ddpm({ timesteps: [500, 100] }));
  assert.ok(Math.abs(sampler.steps[1].values.up - 1e-10) < 1e-15);
  assert.is((await samples(sampler)).nfe, 2);
});

test("clips the clean sample", async () => {
  const { x } = await samples(discreteSamplerOf(ddpm({ timesteps: [999], clip: 0.1 })));
  // One step from 999 to the clean sample takes it whole.
  for (const each of x) assert.ok(Math.abs(each) < 0.1 + 1e-6, `${each}`);
});

test("refuses timesteps that rise or lie outside of the table, and pure noise", () => {
  const rising = thrown(() => discreteSamplerOf(ddpm({ timesteps: [10, 10] })));
  assert.is(rising.code, "E_OPTION");
  assert.match(
    rising.message,
    "Cannot configure ddpm: timesteps is [10, 10], should be decreasing whole numbers in [0, 999]",
  );
  const short = thrown(() => discreteSamplerOf(ddpm({ timesteps: [100] }), { count: 100 }));
  assert.match(short.message, "whole numbers in [0, 99]");
  const last = ddpm({ timesteps: [999] });
  const pure = thrown(() => discreteSamplerOf(last, { zeroTerminalSnr: true }));
  assert.match(pure.message, "timestep 999 is pure noise");
});

test.run();
