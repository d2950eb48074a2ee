import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ddim } from "../../../plugins/samplers/ddim.ts";
import { ddpm } from "../../../plugins/samplers/ddpm.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertSame,
  denoised,
  discreteSamplerOf,
  evenTimesteps,
  flowError,
  mixing,
  samples,
  table,
} from "./gaussian.ts";

const test = suite("plugins/samplers/ddim");

test("eta 0 is Euler's method on x/a at the table's levels", async () => {
  const timesteps = [999, 600, 250, 30];
  const sampler = discreteSamplerOf(ddim({ timesteps }));
  const found = await samples(sampler);
  const sigmas = timesteps.map((timestep) => table.sigmas[timestep]);
  // x starts as ε and x/a as √(1 + σ²)·ε, as the process has it.
  assert.is(sampler.startScale, 1);
  const plain = await samples(discreteSamplerOf(euler({ sigmas })));
  assertSame(found.x, plain.x);
  assert.is(found.nfe, 4);
  assert.ok(sampler.steps.every(({ rule, values }) => rule.name === "ddimStep" && !("up" in values)));
});

test("eta 1 is DDPM", async () => {
  const timesteps = evenTimesteps(10);
  const found = await samples(discreteSamplerOf(ddim({ timesteps, eta: 1 })));
  assertSame(found.x, (await samples(discreteSamplerOf(ddpm({ timesteps })))).x);
});

test("eta between: the step's noise is that share of DDPM's, and the mixing stays whole", async () => {
  const [{ signal: a, noise: b }, to] = [mixing(999), mixing(499)];
  const sampler = discreteSamplerOf(ddim({ timesteps: [999, 499], eta: 0.5 }));
  const { sigma, keep, take, leave, up } = sampler.steps[0].values;
  assert.ok(Math.abs(up - 0.5 * (to.noise / b) * Math.sqrt(1 - (a / to.signal) ** 2)) < 1e-12);
  // Of x = a·x0 + b·ε a step makes a_p·x0 + √(b_p² − up²)·ε.
  assertSame([keep * a + take + leave, Math.hypot(keep * b, up)], [to.signal, to.noise]);
  assert.is(sigma, table.sigmas[999]);
});

test("comes to the probability flow, and with noise to the data's moments", async () => {
  const error = (steps: number) => flowError(discreteSamplerOf(ddim({ timesteps: evenTimesteps(steps) })), 0);
  const [coarse, fine] = [await error(20), await error(40)];
  assert.ok(coarse > 1.6 * fine && fine < 0.04, `${coarse}, ${fine}`);
  await assertMoments(discreteSamplerOf(ddim({ timesteps: evenTimesteps(50), eta: 0.5 })), 0.05);
});

test("clips the clean sample, and with clipNoise the noise that is read off it", async () => {
  const { signal: a, noise: b } = mixing(999);
  const to = mixing(499);
  for (const clipNoise of [false, true]) {
    const sampler = discreteSamplerOf(ddim({ timesteps: [999, 499], clip: 0.2, clipNoise }));
    const { eps, x } = await samples({ ...sampler, steps: sampler.steps.slice(0, 1) });
    const expected = eps.map((each) => {
      const own = denoised(each / a, table.sigmas[999]);
      const clean = Math.min(Math.max(own, -0.2), 0.2);
      return to.signal * clean + (to.noise * (each - a * (clipNoise ? clean : own))) / b;
    });
    assertSame(x, expected);
  }
});

test("endAtFirst leads the last step to timestep 0", () => {
  const lastOf = (endAtFirst: boolean) =>
    discreteSamplerOf(ddim({ timesteps: [500], endAtFirst })).steps[0].values.take;
  assert.is(lastOf(false), 1);
  assert.is(lastOf(true), mixing(0).signal);
});

test("refuses timesteps that rise, lie outside of the table, or are too many", () => {
  const rising = thrown(() => discreteSamplerOf(ddim({ timesteps: [10, 20] })));
  assert.is(rising.code, "E_OPTION");
  assert.match(
    rising.message,
    "Cannot configure ddim: timesteps is [10, 20], should be decreasing whole numbers in [0, 999]",
  );
  assert.match(thrown(() => discreteSamplerOf(ddim({ timesteps: [1000] }))).message, "timesteps is [1000]");
  const many = thrown(() => discreteSamplerOf(ddim({ steps: 1001 })));
  assert.is(many.code, "E_OPTION");
  assert.match(many.message, "steps is 1001, should be a whole number in [1, 1000]");
  const far = thrown(() => discreteSamplerOf(ddim({ steps: 10, offset: 100 })));
  assert.match(far.message, "one is 1000, should be in [0, 999]");
});

test("starts at a timestep of pure noise only where the network can", () => {
  const zero = { zeroTerminalSnr: true };
  const { code, message } = thrown(() => discreteSamplerOf(ddim({ timesteps: [999] }), zero));
  assert.is(code, "E_OPTION");
  assert.match(message, "Cannot configure ddim: timestep 999 is pure noise, should have some");
  assert.is(discreteSamplerOf(ddim({ timesteps: [998] }), zero).steps.length, 1);
  const velocity = { ...zero, prediction: "velocity" } as const;
  assert.is(discreteSamplerOf(ddim({ steps: 4, spacing: "trailing" }), velocity).steps.length, 4);
});

test.run();
