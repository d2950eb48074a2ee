import { suite } from "uvu";
import * as assert from "uvu/assert";
import { addNoise, edmDenoiser, edmFeatures, edmWeight, precondition } from "../../../core/diffusion/mod.ts";
import { constant, constantArray, input, mul, square } from "../../../core/ops/mod.ts";
import { compute } from "../../helpers/compute.ts";

const test = suite("core/diffusion/edm");

const SIGMA_DATA = 0.5;
const levels = [0.002, 0.1, 0.5, 3, 80];
const sigma = input("sigma", [levels.length]);
const at = { sigma: Float32Array.from(levels) };
const close = (actual: ArrayLike<number>, expected: number[], tolerance = 1e-5) => {
  assert.is(actual.length, expected.length);
  for (const [i, value] of expected.entries()) {
    const error = Math.abs(actual[i] - value) / Math.max(Math.abs(value), 1e-3);
    assert.ok(error < tolerance, `element ${i} is ${actual[i]}, expected ${value}`);
  }
};

test("precondition: the values of spec/dmd2.md §2.1 at sigma 80", async () => {
  const c = await compute({ ...precondition(sigma, SIGMA_DATA, 1) }, at);
  const last = levels.length - 1;
  close([c.cSkip[last], c.cOut[last], c.cIn[last], c.cNoise[last]], [3.906e-5, 0.49999, 0.0124998, 1.095507]);
});

test("precondition: network input and target have unit variance at every level", async () => {
  const { cSkip, cOut, cIn } = precondition(sigma, SIGMA_DATA, 1);
  const c = await compute({ cSkip, cOut, cIn }, at);
  for (const [i, s] of levels.entries()) {
    const total = SIGMA_DATA ** 2 + s ** 2;
    assert.ok(Math.abs(c.cIn[i] ** 2 * total - 1) < 1e-5, "cIn·x");
    // (x₀ − cSkip·x_t) / cOut
    const target = ((1 - c.cSkip[i]) ** 2 * SIGMA_DATA ** 2 + c.cSkip[i] ** 2 * s ** 2) / c.cOut[i] ** 2;
    assert.ok(Math.abs(target - 1) < 1e-4, `variance of the target at ${s} is ${target}`);
  }
});

test("precondition: coefficients broadcast over images", () => {
  const { cSkip, cNoise } = precondition(sigma, SIGMA_DATA, 4);
  assert.equal(cSkip.shape, [5, 1, 1, 1]);
  assert.equal(cNoise.shape, [5]);
});

test("edmWeight: λ(σ)·cOut² = 1, so that every level weighs the same", async () => {
  const { cOut } = precondition(sigma, SIGMA_DATA, 1);
  const weight = edmWeight(sigma, SIGMA_DATA, 1);
  const values = await compute({ product: mul(weight, square(cOut)), weight }, at);
  close(values.product, [1, 1, 1, 1, 1]);
  close(
    values.weight,
    levels.map((s) => s ** -2 + 4),
  );
});

test("edmDenoiser: a clean sample stays as it is, whatever the network says", async () => {
  const x = constantArray([0.3, -0.7], [1, 2]);
  const denoiser = edmDenoiser((scaled) => mul(scaled, 1e3), SIGMA_DATA);
  const { y } = await compute({ y: denoiser.denoise(x, constant(1e-9, "f32", [1]), {}) });
  close(y, [0.3, -0.7]);
});

test("edmDenoiser: cSkip·x + cOut·F(cIn·x; ln σ / 4)", async () => {
  const x = constantArray([1, 2], [2, 1]);
  const seen: Record<string, unknown> = {};
  const denoiser = edmDenoiser((scaled, cNoise, condition) => {
    Object.assign(seen, { scaled, cNoise, condition });
    return constant(1, "f32", [2, 1]);
  }, SIGMA_DATA);
  const label = input("label", [2], "i32");
  const y = denoiser.denoise(x, constantArray([0.5, 0.5], [2]), { label });
  const values = await compute({
    y,
    scaled: seen.scaled as typeof x,
    cNoise: seen.cNoise as typeof x,
  });
  const [cSkip, cOut, cIn] = [0.5, 0.5 / Math.SQRT2, Math.SQRT2];
  close(values.y, [cSkip + cOut, 2 * cSkip + cOut]);
  close(values.scaled, [cIn, 2 * cIn]);
  close(values.cNoise, [Math.log(0.5) / 4, Math.log(0.5) / 4]);
  assert.equal(seen.condition, { label });
});

test("edmFeatures: scales the input and not the output", async () => {
  const x = constantArray([1], [1, 1]);
  const features = edmFeatures((scaled) => scaled, SIGMA_DATA, x, constantArray([0.5], [1]), {});
  close((await compute({ features })).features, [Math.SQRT2]);
});

test("addNoise: one level a sample", async () => {
  const x = constantArray([1, 2, 3, 4], [2, 2]);
  const xt = addNoise(x, constantArray([0, 10], [2]), constantArray([1, -1, 1, -1], [2, 2]));
  close((await compute({ xt })).xt, [1, 2, 13, -6]);
});

test.run();
