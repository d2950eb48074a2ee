import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lcm } from "../../../plugins/samplers/lcm.ts";
import { thrown } from "../../helpers/thrown.ts";
import { assertSame, denoised, discreteSamplerOf, mixing, samples, table } from "./gaussian.ts";

const test = suite("plugins/samplers/lcm");

test("one step is the denoiser", async () => {
  const { eps, x, nfe } = await samples(discreteSamplerOf(lcm({ steps: 1 })));
  assert.is(nfe, 1);
  const expected = eps.map((each) => denoised(each / mixing(999).signal, table.sigmas[999]));
  assertSame(x, expected);
});

test("predicts, adds fresh noise of the next timestep, predicts again", async () => {
  const noise = Float32Array.of(0.7, -1.1);
  const given = { eps: Float32Array.of(1, -2), noise: () => noise };
  const { eps, x, nfe } = await samples(discreteSamplerOf(lcm({ timesteps: [999, 499] })), given);
  assert.is(nfe, 2);
  const at = (xt: number, t: number) => denoised(xt / mixing(t).signal, table.sigmas[t]);
  const { signal: a, noise: b } = mixing(499);
  assertSame(
    x,
    eps.map((each, i) => at(a * at(each, 999) + b * noise[i], 499)),
  );
});

test("near timestep 0 it keeps x: c_skip 1 and c_out 0 there", () => {
  const { keep, take } = discreteSamplerOf(lcm({ timesteps: [0] })).steps[0].values;
  assert.equal([keep, take], [1, 0]);
  const { values } = discreteSamplerOf(lcm({ timesteps: [3], scaling: 0.1, sigmaData: 0.4 })).steps[0];
  assertSame([values.keep, values.take], [0.16 / 0.25, 0.3 / 0.5]);
});

test("clips the clean sample", async () => {
  const { x } = await samples(discreteSamplerOf(lcm({ steps: 1, clip: 0.1 })));
  for (const each of x) assert.ok(Math.abs(each) < 0.1 + 1e-6, `${each}`);
});

test("picks its timesteps out of the grid that the model was distilled at", () => {
  const sigmasOf = (options: Parameters<typeof lcm>[0]) =>
    discreteSamplerOf(lcm(options)).steps.map(({ values }) => table.sigmas.indexOf(values.sigma));
  assert.equal(sigmasOf({ steps: 4 }), [999, 759, 499, 259]);
  assert.equal(sigmasOf({ steps: 2, grid: 4 }), [999, 499]);
});

test("refuses timesteps that rise or lie outside of the table, and more steps than the grid", () => {
  const rising = thrown(() => discreteSamplerOf(lcm({ timesteps: [10, 20] })));
  assert.is(rising.code, "E_OPTION");
  assert.match(
    rising.message,
    "Cannot configure lcm: timesteps is [10, 20], should be decreasing whole numbers in [0, 999]",
  );
  const many = thrown(() => discreteSamplerOf(lcm({ steps: 51 })));
  assert.is(many.code, "E_OPTION");
  assert.match(many.message, "steps is 51, should be a whole number in [1, 50]");
});

test.run();
