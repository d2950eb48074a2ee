import { suite } from "uvu";
import * as assert from "uvu/assert";
import { mixtureDenoiser } from "../../../core/diffusion/mod.ts";
import { constantArray } from "../../../core/ops/mod.ts";
import { compute } from "../../helpers/compute.ts";

const test = suite("core/diffusion/mixture");

const denoised = async (
  mixture: Parameters<typeof mixtureDenoiser>[0],
  x: number[],
  sigma: number[],
) => {
  const B = sigma.length;
  const y = mixtureDenoiser(mixture).denoise(
    constantArray(x, [B, x.length / B]),
    constantArray(sigma, [B]),
    {},
  );
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

test.run();
