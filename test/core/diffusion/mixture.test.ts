import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mixtureDenoiser } from "../../../core/diffusion/mod.ts";
import { constantArray } from "../../../core/ops/mod.ts";
import { compute } from "../../helpers/compute.ts";

const test = suite("core/diffusion/mixture");

const denoised = async (mixture: Parameters<typeof mixtureDenoiser>[0], x: number[], sigma: number[]) => {
  const B = sigma.length;
  const y = mixtureDenoiser(mixture).denoise(constantArray(x, [B, x.length / B]), constantArray(sigma, [B]), {});
  return [...(await compute({ y })).y];
};
const close = (actual: number[], expected: number[], tolerance = 1e-5) => {
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(actual[i] - value) < tolerance, `${actual} is not ${expected}`);
};

test("mixtureDenoiser: one Gaussian is the linear filter (v·x + σ²·m) / (v + σ²)", async () => {
  const one = { means: [[2, -1]], deviations: [0.5], weights: [3] };
  const filter = (x: number, m: number, s: number) => (0.25 * x + s ** 2 * m) / (0.25 + s ** 2);
  const y = await denoised(one, [1, 1, 5, 0], [0.3, 4]);
  close(y, [filter(1, 2, 0.3), filter(1, -1, 0.3), filter(5, 2, 4), filter(0, -1, 4)]);
});

test("mixtureDenoiser: E[x₀ | x] of unequal modes, by quadrature", async () => {
  const mixture = { means: [[-1], [2]], deviations: [0.3, 0.8], weights: [1, 3] };
  const [x, sigma] = [0.4, 0.9];
  const bell = (t: number, m: number, s: number) => Math.exp(-((t - m) ** 2) / (2 * s * s)) / s;
  let [mass, first] = [0, 0];
  for (let x0 = -8; x0 <= 8; x0 += 1e-3) {
    const prior = 0.25 * bell(x0, -1, 0.3) + 0.75 * bell(x0, 2, 0.8);
    const density = prior * bell(x, x0, sigma);
    mass += density;
    first += density * x0;
  }
  close(await denoised(mixture, [x], [sigma]), [first / mass]);
});

test("mixtureDenoiser: finite, and the nearest mode or the mean, at extreme levels", async () => {
  const ring = {
    means: [
      [1, 0],
      [-1, 0],
    ],
    deviations: [0.01, 0.01],
    weights: [1, 1],
  };
  close(await denoised(ring, [1.5, 0, 3, 0], [0.002, 0.002]), [1.4807, 0, 2.923, 0], 1e-3);
  close(await denoised(ring, [0, 0, 40, 0], [80, 1e4]), [0, 0, 0, 0], 1e-2);
});

test("mixtureDenoiser: float32 keeps its digits at every level, against the formula in float64", async () => {
  const D = 32;
  const number = (i: number) => Math.sin(1 + 1.7 * i * (i % 5) + i);
  const mixture = {
    means: [0, 1, 2].map((k) => Array.from({ length: D }, (_, i) => 1.5 * number(k * D + i))),
    deviations: [0.2, 0.6, 0.4],
    weights: [1, 2, 3],
  };
  for (const sigma of [0.02, 0.3, 0.9, 1.4, 8, 113]) {
    const x = Array.from({ length: D }, (_, i) => Math.fround(mixture.means[1][i] + sigma * 1.4 * number(7 * i + 3)));
    const v = mixture.deviations.map((s) => s ** 2 + Math.fround(sigma) ** 2);
    const logits = mixture.means.map((mean, k) => {
      const distance = mean.reduce((sum, each, i) => sum + (x[i] - each) ** 2, 0);
      return Math.log(mixture.weights[k]) - distance / (2 * v[k]) - (D / 2) * Math.log(v[k]);
    });
    const odds = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
    const total = odds.reduce((sum, each) => sum + each, 0);
    const expected = x.map((value, i) =>
      odds.reduce(
        (sum, each, k) =>
          sum +
          ((each / total) * (Math.fround(sigma) ** 2 * mixture.means[k][i] + mixture.deviations[k] ** 2 * value)) /
            v[k],
        0,
      ),
    );
    close(await denoised(mixture, x, [sigma]), expected, 1e-6);
  }
});

test.run();
