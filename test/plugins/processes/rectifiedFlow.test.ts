import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { addNoise, mixtureDenoiser, ownSampler, perSample, type RawNetwork } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import { GENERATOR, type Network, type NoiseProcess, PROCESS, SAMPLER } from "../../../core/interfaces/mod.ts";
import { constantArray, div, mean, mul, square, sub } from "../../../core/ops/mod.ts";
import { definePlugin, Registry } from "../../../core/plugin/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { mergeConfig, Run, resolveConfig } from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { fewStep } from "../../../plugins/generators/fewStep.ts";
import { rectifiedFlow } from "../../../plugins/processes/rectifiedFlow.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { beginAll, stageOf, tiny } from "../../core/train/support.ts";
import { FLOAT32_TOLERANCE, largestError } from "../../helpers/close.ts";
import { thrown } from "../../helpers/thrown.ts";
import { trace } from "../samplers/run.ts";
import { compose, evaluate, Feed, numbers } from "../support.ts";

const test = suite("plugins/processes/rectifiedFlow");

const processOf = (options: Parameters<typeof rectifiedFlow>[0] = {}): NoiseProcess =>
  compose({ sample: [2], condition: {}, sigmaData: 1 }, rectifiedFlow(options)).get(PROCESS);
const times = [0.001, 0.5, 0.999];
const close = (found: ArrayLike<number>, expected: ArrayLike<number>, what = "") =>
  assert.ok(largestError(found, expected) < FLOAT32_TOLERANCE, `${what} ${found}, not ${expected}`);

/** Samples noised to the three times, x_t and v as the flow defines them. */
function noisy() {
  const feed = new Feed();
  const x0 = feed.tensor("x0", [3, 2], numbers([6]));
  const eps = feed.tensor("eps", [3, 2], numbers([6], 1));
  const time = constantArray(times, [3]);
  const sigma = constantArray(
    times.map((t) => t / (1 - t)),
    [3],
  );
  const xt = Array.from(numbers([6]), (value, i) => {
    const t = times[Math.floor(i / 2)];
    return (1 - t) * value + t * numbers([6], 1)[i];
  });
  return { feed, x0, eps, time, sigma, x: addNoise(x0, sigma, eps), v: sub(eps, x0), xt };
}

test("is a well-formed plugin", () => checkPlugin(rectifiedFlow, { timeScale: 1, shift: 3 }));

test("the network sees x_t and timeScale·t, for its features too", async () => {
  for (const timeScale of [1000, 1]) {
    const { feed, sigma, x, xt } = noisy();
    const seen: Record<string, ReturnType<typeof mul>> = {};
    const F =
      (name: string): RawNetwork =>
      (input, cNoise) => {
        Object.assign(seen, { [`${name}.xt`]: input, [`${name}.t`]: cNoise });
        return input;
      };
    const process = processOf({ timeScale });
    process.denoiser(F("network")).denoise(x, sigma, {});
    process.features(F("features"), x, sigma, {});
    const result = await evaluate(seen, feed, "f64");
    for (const name of ["network", "features"]) {
      close(result[`${name}.xt`], xt, name);
      close(
        result[`${name}.t`],
        times.map((t) => timeScale * t),
        name,
      );
    }
  }
});

test("the exact velocity gives the exact denoiser, at every level", async () => {
  const { feed, sigma, x } = noisy();
  const data = {
    means: [
      [0.4, -0.2],
      [-1, 0.5],
    ],
    deviations: [0.3, 0.6],
    weights: [1, 2],
  };
  const exact = mixtureDenoiser(data).denoise(x, sigma, {});
  // E[ε − x0 | x_t] = (x_t − E[x0 | x_t])/t
  const F: RawNetwork = (xt, cNoise) => div(sub(xt, exact), perSample(mul(cNoise, 1e-3), xt.shape.length));
  const result = await evaluate({ found: processOf().denoiser(F).denoise(x, sigma, {}), exact }, feed, "f64");
  close(result.found, result.exact);
});

test("λ (D − x0)² is the squared error of the velocity, and its mean has a gradient", async () => {
  const { feed, x0, sigma, x, v, xt } = noisy();
  const w = feed.tensor("w", [1], [0.7]);
  const process = processOf();
  const D = process.denoiser((input) => mul(input, w)).denoise(x, sigma, {});
  const weighted = mul(process.weight(sigma, 2), square(sub(D, x0)));
  const [slope] = grad(mean(weighted), [w]);
  const result = await evaluate({ weighted, v, slope }, feed, "f64");
  const errors = xt.map((value, i) => 0.7 * value - result.v[i]);
  close(
    result.weighted,
    errors.map((error) => error ** 2),
  );
  close(result.slope, [errors.reduce((sum, error, i) => sum + (2 * error * xt[i]) / 6, 0)]);
});

test("levels are those of even times, moved by the shift; x0 + σ·ε is 1 + σ times x_t", () => {
  const { sigmas = [], scale, start } = processOf();
  assert.is(sigmas.length, 999);
  for (const t of times) {
    const sigma = sigmas[Math.round(t * 1000) - 1];
    assert.ok(Math.abs(sigma / (1 + sigma) - t) < 1e-12, `${sigma}`);
  }
  assert.equal([scale(3), start(3)], [4, 4]);
  close(processOf({ count: 5, shift: 3 }).sigmas ?? [], [0.75, 2, 4.5, 12]);
});

test("Euler's steps over its levels are those of dx/dt = v, at the shifted times of SD3", async () => {
  for (const shift of [1, 3]) {
    const container = compose(
      { sample: [2], condition: {}, sigmaData: 1 },
      rectifiedFlow({ shift }),
      euler({ spacing: "trailing", steps: 4 }),
    );
    const [process, sampler] = [container.get(PROCESS), container.get(SAMPLER)];
    const feed = new Feed();
    const eps = feed.tensor("eps", [3, 2], numbers([6]));
    // Any v will do: v = 0.6·x_t − t.
    const F: RawNetwork = (xt, cNoise) => sub(mul(xt, 0.6), perSample(mul(cNoise, 1e-3), 2));
    const { x } = trace(sampler, process.denoiser(F), mul(eps, sampler.startScale!), () => eps);
    const found = await evaluate({ x }, feed, "f64");
    // t' = s·t/(1 + (s − 1)·t) of the even times, down to 0.
    const even = [999, 749, 500, 250].map((k) => k / 1000);
    const shiftedTimes = [...even.map((t) => (shift * t) / (1 + (shift - 1) * t)), 0];
    const expected = Array.from(numbers([6]), (start) => {
      let value = start;
      for (let i = 0; i < 4; i++) value += (shiftedTimes[i + 1] - shiftedTimes[i]) * (0.6 * value - shiftedTimes[i]);
      return value;
    });
    close(found.x, expected, `shift ${shift}:`);
  }
});

test("a few-step generator goes from x_t to the next as the flow says: (1 − t')·(x_t − t·v) + t'·ε'", async () => {
  const shape = { sample: [2], condition: {}, sigmaData: 1 };
  const network: Network = { apply: (_, xt) => mul(xt, 0.6), features: (_, xt) => xt };
  const provided = definePlugin({
    name: "linear",
    kind: "network",
    about: "v = 0.6·x_t",
    options: {},
    create: () => network,
  });
  const container = compose(shape, provided(), rectifiedFlow(), fewStep({ timesteps: [998, 499] }));
  const generator = container.get(GENERATOR);
  const sampler = ownSampler(generator);
  const feed = new Feed();
  const eps = [0, 1].map((k) => feed.tensor(`eps${k}`, [3, 2], numbers([6], k)));
  const { x } = trace(
    sampler,
    generator.bind(feed.weights("w.", () => []).scope),
    mul(eps[0], sampler.startScale!),
    () => eps[1],
  );
  const found = await evaluate({ x }, feed, "f64");
  const expected = Array.from(numbers([6]), (start, i) => {
    const x0 = start - 0.999 * 0.6 * start;
    const xt = 0.5 * x0 + 0.5 * numbers([6], 1)[i];
    return xt - 0.5 * 0.6 * xt;
  });
  close(found.x, expected);
});

test("refuses fewer than two parts of the time, and a shift of 0", () => {
  const few = thrown(() => processOf({ count: 1 }));
  assert.is(few.code, "E_OPTION");
  assert.match(few.message, /rectified-flow: count .*\[2, inf\).* 1$/);
  assert.match(thrown(() => processOf({ shift: 0 })).message, /shift .*\(0, inf\).* 0$/);
});

test("a run of a few-step generator over its times trains every parameter", async () => {
  const config = mergeConfig(tiny, {
    process: { use: "rectified-flow", shift: 3 },
    teacher: { use: "gaussian-mixture" },
    generator: { timesteps: [998, 749, 499, 249] },
    train: { steps: 4, batch: 2 },
    averages: { teacher: false },
    losses: { "edm-denoising": false },
  });
  const resolved = resolveConfig(config, new Registry().register(allPlugins));
  const run = await Run.create({ resolved, backend: new ReferenceBackend() });
  const weights = () => run.trainer.players.generator.read("weights");
  await beginAll(run.trainer);
  const before = await weights();
  await run.trainer.train(stageOf(run.trainer, "distillation"));
  for (const [name, { data }] of Object.entries(await weights())) {
    assert.ok(data.every(Number.isFinite), name);
    assert.not.equal(data, before[name].data, name);
  }
});

test.run();
