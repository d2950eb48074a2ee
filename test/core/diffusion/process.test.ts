import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  addNoise,
  discreteTable,
  edmProcess,
  mixingAt,
  perSample,
  type RawNetwork,
  timestepProcess,
} from "../../../core/diffusion/mod.ts";
import { PROCESS } from "../../../core/interfaces/mod.ts";
import { add, constantArray, mul, square, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { discrete } from "../../../plugins/processes/discrete.ts";
import { compose, evaluate, Feed, numbers } from "../../plugins/support.ts";

const test = suite("core/diffusion/process");

const tables = discreteTable();
const timesteps = [0, 249, 999];
const levels = timesteps.map((t) => tables.sigmas[t]);
/** Sees what the network is shown: x_t and t, as 0.3·x_t + t/1000. */
const F: RawNetwork = (xt, t) => add(mul(xt, 0.3), perSample(mul(t, 1e-3), xt.shape.length));

function noisy() {
  const feed = new Feed();
  const x0 = feed.tensor("x0", [3, 2], numbers([6]));
  const eps = feed.tensor("eps", [3, 2], numbers([6], 1));
  const sigma = constantArray(levels, [3]);
  return { feed, x0, eps, sigma, x: addNoise(x0, sigma, eps) };
}
const close = (found: ArrayLike<number>, expected: ArrayLike<number>, relative = 1e-4) => {
  for (let i = 0; i < expected.length; i++)
    assert.ok(
      Math.abs(found[i] - expected[i]) <= relative * Math.max(1, Math.abs(expected[i])),
      `${found[i]}, not ${expected[i]}`,
    );
};

test("timestepProcess: D is x0 = (x_t − b·F(x_t; t))/a", async () => {
  const { feed, sigma, x } = noisy();
  const { D } = await evaluate({ D: timestepProcess(tables).denoiser(F).denoise(x, sigma, {}) }, feed);
  const [x0, eps] = [numbers([6]), numbers([6], 1)];
  const expected = Array.from(x0, (_, i) => {
    const t = timesteps[Math.floor(i / 2)];
    const { signal: a, noise: b } = mixingAt(tables, t);
    const xt = a * x0[i] + b * eps[i];
    return (xt - b * (0.3 * xt + t / 1000)) / a;
  });
  close(D, expected);
});

test("timestepProcess: features see x_t and t as the denoiser's network does", async () => {
  const { feed, sigma, x } = noisy();
  const f = timestepProcess(tables).features(F, x, sigma, {});
  const { f: found } = await evaluate({ f }, feed);
  const [x0, eps] = [numbers([6]), numbers([6], 1)];
  const expected = Array.from(x0, (_, i) => {
    const t = timesteps[Math.floor(i / 2)];
    const { signal: a, noise: b } = mixingAt(tables, t);
    return 0.3 * (a * x0[i] + b * eps[i]) + t / 1000;
  });
  close(found, expected);
});

for (const prediction of ["epsilon", "velocity", "sample"] as const)
  test(`timestepProcess: λ·(D − x0)² is the squared error of F, ${prediction}`, async () => {
    const { feed, x0, eps, sigma, x } = noisy();
    const process = timestepProcess(tables, prediction);
    const error = sub(process.denoiser(F).denoise(x, sigma, {}), x0);
    const weighted = mul(process.weight(sigma, 2), square(error));
    const a = perSample(
      constantArray(
        timesteps.map((t) => mixingAt(tables, t).signal),
        [3],
      ),
      2,
    );
    const b = perSample(
      constantArray(
        timesteps.map((t) => mixingAt(tables, t).noise),
        [3],
      ),
      2,
    );
    const target = { epsilon: eps, sample: x0, velocity: sub(mul(a, eps), mul(b, x0)) }[prediction];
    const plain = square(sub(process.features(F, x, sigma, {}), target));
    const result = await evaluate({ weighted, plain }, feed);
    close(result.weighted, result.plain, 1e-3);
  });

test("timestepProcess: noise of variance 1 stands for x_t, and no level is infinite", () => {
  const process = timestepProcess(discreteTable({ zeroTerminalSnr: true }));
  assert.is(process.sigmas?.length, 999);
  close([timestepProcess(tables).start(levels[2])], [Math.sqrt(1 + levels[2] ** 2)], 1e-12);
  assert.is(process.scale(0), 1);
});

test("timestepProcess: at a timestep of pure noise velocity and sample say what the clean image is", async () => {
  const table = discreteTable({ zeroTerminalSnr: true });
  const said = { velocity: [-0.25, 1], sample: [0.25, -1] } as const;
  for (const prediction of ["velocity", "sample"] as const) {
    const { sigmas = [], denoiser, start } = timestepProcess(table, prediction);
    assert.is(sigmas.length, 1000);
    const last = sigmas[999];
    const seen: Tensor[] = [];
    const { denoise } = denoiser((_, t) => {
      seen.push(t);
      return constantArray(said[prediction], [1, 2]);
    });
    // x_t = ε: what a sampler starts from. With ᾱ = 0, x0 = −v, whatever ε is.
    const x = constantArray([0.7 * start(last), -1.3 * start(last)], [1, 2]);
    const D = denoise(x, constantArray([last], [1]), {});
    const result = await evaluate({ D, t: seen[0] }, new Feed());
    close(result.D, [0.25, -1], 1e-3);
    close(result.t, [999], 0);
  }
});

test("PROCESS: the plugin's, else EDM's with the data's σ_data", async () => {
  const shape = { sample: [2], condition: {}, sigmaData: 0.7 };
  const own = compose(shape).get(PROCESS);
  assert.is(own.sigmas, undefined);
  assert.equal([own.scale(3), own.start(3)], [1, 3]);
  const sigma = constantArray([0.5, 2], [2]);
  const { found, expected } = await evaluate(
    { found: own.weight(sigma, 2), expected: edmProcess(0.7).weight(sigma, 2) },
    new Feed(),
  );
  assert.equal(found, expected);
  close(found, [4 + 0.7 ** -2, 0.25 + 0.7 ** -2], 1e-6);
  assert.is(compose(shape, discrete()).get(PROCESS).sigmas?.length, 1000);
});

test.run();
