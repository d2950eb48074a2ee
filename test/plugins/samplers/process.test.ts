/** Samplers ask the run's noise process for its timesteps, its levels and its start. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { PROCESS, SAMPLER, type Sampler } from "../../../core/interfaces/mod.ts";
import { type ConfiguredPlugin, Registry } from "../../../core/plugin/mod.ts";
import { composeSampling, resolveConfig } from "../../../core/train/mod.ts";
import {
  allPlugins,
  ddim,
  ddpm,
  discrete,
  dpmSolver,
  edmAblation,
  euler,
  heun,
  lcm,
  lms,
  rectifiedFlow,
  renoise,
  tcd,
} from "../../../plugins/all.ts";
import { tiny } from "../../core/train/support.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose } from "../support.ts";
import { assertMoments, assertSame, denoised, discreteSamplerOf, flowError, samplerOf, samples } from "./gaussian.ts";

const test = suite("plugins/samplers/process");

const flowSamplerOf = (plugin: ConfiguredPlugin, options?: Parameters<typeof rectifiedFlow>[0]) =>
  samplerOf(plugin, rectifiedFlow(options));
const sigmasOf = ({ steps }: Sampler) => steps.map(({ values }) => values.sigma);

test("an option of the process changes the model's levels and the sampler's alike", () => {
  for (const sampler of [
    { use: "ddim", timesteps: [999, 499] },
    { use: "ddpm", timesteps: [999, 499] },
    { use: "lcm", timesteps: [999, 499] },
    { use: "tcd", timesteps: [999, 499] },
    { use: "euler", spacing: "linspace", steps: 2 },
    { use: "dpm-solver", spacing: "trailing", steps: 2 },
  ])
    for (const betaEnd of [0.012, 0.02]) {
      const config = { ...tiny, process: { use: "discrete", betaEnd }, sampler };
      const { plugins } = resolveConfig(config, new Registry().register(allPlugins));
      const shape = { sample: [2], condition: {}, sigmaData: 1 };
      const container = composeSampling(plugins, new ReferenceBackend(), shape);
      const { sigmas = [] } = container.get(PROCESS);
      const last = sigmas.length - 1;
      assert.is(container.get(SAMPLER).sigmaMax, sigmas[last], `${sampler.use} at ${betaEnd}`);
      assert.is(Math.round(sigmas[last]), betaEnd === 0.02 ? 66 : 15);
    }
});

test("who goes by timesteps refuses a process that knows none, and says what to use", () => {
  for (const plugin of [
    ddim(),
    ddpm(),
    lcm(),
    tcd(),
    euler({ spacing: "leading" }),
    dpmSolver({ spacing: "trailing" }),
  ]) {
    const { code, message, fix } = thrown(() => samplerOf(plugin));
    assert.is(code, "E_OPTION");
    assert.is(
      message,
      `Cannot configure ${plugin.name}: it goes by timesteps, and the run has no process that knows timesteps`,
    );
    assert.match(fix, "use the process `discrete`");
  }
});

test("samplers have no levels or start of their own", () => {
  for (const plugin of [ddim, ddpm, lcm, tcd, euler, heun])
    assert.is(thrown(() => plugin.configure({ schedule: {} })).code, "E_UNKNOWN_OPTION");
  assert.is(thrown(() => euler.configure({ start: "unit" })).code, "E_UNKNOWN_OPTION");
  assert.is(thrown(() => edmAblation.configure({ schedule: "vp" })).code, "E_UNKNOWN_OPTION");
});

test("x starts with the noise that the process has at the first level", () => {
  for (const plugin of [euler({ sigmas: [4, 1] }), lms({ sigmas: [4] }), renoise({ sigmas: [4] })]) {
    assert.is(samplerOf(plugin).startScale, 4);
    assert.is(discreteSamplerOf(plugin).startScale, Math.sqrt(17));
    assert.is(flowSamplerOf(plugin).startScale, 5);
  }
  // As the public Euler schedulers do with the spacings linspace and trailing.
  assert.is(discreteSamplerOf(euler({ sigmas: [4, 1], startAtLevel: true })).startScale, 4);
  const predicted = renoise({ sigmas: [4, 1], noise: "predicted" });
  assert.is(discreteSamplerOf(predicted).startScale, Math.sqrt(17));
  const ablation = edmAblation({ sigmaMax: 4, scaling: "vp" });
  assert.ok(Math.abs(discreteSamplerOf(ablation).startScale! - 1) < 1e-12);
});

test("without signal at the last timestep there are as many timesteps, and the last has no level", () => {
  const zero = { zeroTerminalSnr: true };
  const leading = sigmasOf(discreteSamplerOf(ddim({ steps: 4 }), zero));
  const { sigmas = [], count } = compose({ sample: [1], condition: {}, sigmaData: 1 }, discrete(zero)).get(PROCESS);
  assert.equal([sigmas.length, count], [999, 1000]);
  assert.equal(
    leading,
    [750, 500, 250, 0].map((timestep) => sigmas[timestep]),
  );
  for (const spacing of ["linspace", "trailing"] as const)
    assert.match(
      thrown(() => discreteSamplerOf(ddim({ steps: 4, spacing }), zero)).message,
      "timestep 999 is pure noise",
    );
});

test("rectified flow: levels of even times, moved by its shift", () => {
  const timesOf = (sampler: Sampler) => sigmasOf(sampler).map((sigma) => sigma / (1 + sigma));
  const even = euler({ steps: 5, spacing: "linspace" });
  assertSame(timesOf(flowSamplerOf(even)), [0.999, 0.7495, 0.5, 0.2505, 0.001]);
  const plain = sigmasOf(flowSamplerOf(even));
  assertSame(
    sigmasOf(flowSamplerOf(even, { shift: 3 })).map((sigma) => sigma / 3 / 1000),
    plain.map((sigma) => sigma / 1000),
  );
});

test("rectified flow: ddim is Euler's method along the flow, x ← x + (t_p − t)·v", async () => {
  const sampler = flowSamplerOf(ddim({ timesteps: [799, 299] }));
  assert.is(sampler.startScale, 1);
  const { eps, x } = await samples(sampler);
  const move = (xt: number, t: number, to: number) => xt + ((to - t) * (xt - denoised(xt / (1 - t), t / (1 - t)))) / t;
  assertSame(
    x,
    eps.map((each) => move(move(each, 0.8, 0.3), 0.3, 0)),
  );
});

test("rectified flow: comes to the probability flow, and with noise to the data's moments", async () => {
  const spaced = (steps: number) => ({ steps, spacing: "trailing" as const });
  const error = (steps: number) => flowError(flowSamplerOf(ddim(spaced(steps))), 0);
  const [coarse, fine] = [await error(50), await error(100)];
  assert.ok(coarse > 1.8 * fine && fine < 0.006, `${coarse}, ${fine}`);
  for (const noisy of [ddim({ ...spaced(100), eta: 1 }), ddpm(spaced(100))])
    await assertMoments(flowSamplerOf(noisy), 0.02);
  const { x } = await samples(flowSamplerOf(ddim({ ...spaced(10), eta: 1 })));
  assertSame(x, (await samples(flowSamplerOf(ddpm(spaced(10))))).x);
  const timesteps = Array.from({ length: 100 }, (_, i) => 998 - 10 * i);
  await assertMoments(flowSamplerOf(tcd({ timesteps, eta: 0 })), 0.01);
  // More steps do not shorten the way from t down to ⌊(1 − eta) p⌋.
  await assertMoments(flowSamplerOf(tcd({ timesteps })), 0.06);
});

test.run();
