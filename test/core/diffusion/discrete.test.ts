import { suite } from "uvu";
import * as assert from "uvu/assert";
import { betaCurves, discreteTable, mixingAt, sigmaAt, timestepAt } from "../../../core/diffusion/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/diffusion/discrete");

const near = (actual: number, expected: number, relative = 1e-5) =>
  assert.ok(Math.abs(actual / expected - 1) < relative, `${actual} is not ${expected}`);

test("scaledLinear: the published values of Stable Diffusion's table", () => {
  const table = discreteTable();
  near(table.alphasCumprod[0], 0.99915);
  near(table.alphasCumprod[999], 0.0046601, 1e-4);
  for (const [t, sigma] of [
    [0, 0.02917],
    [249, 0.69321],
    [499, 1.61289],
    [749, 4.08173],
    [999, 14.61465],
  ])
    near(table.sigmas[t], sigma, 2e-4);
});

test("linear: the last ᾱ of DDPM's table", () => {
  const table = discreteTable({ curve: "linear", betaStart: 1e-4, betaEnd: 0.02 });
  near(table.alphasCumprod[999], 4.04e-5, 2e-3);
});

test("every curve: β in (0, 1), ᾱ is the product of 1 − β, σ grows", () => {
  for (const curve of betaCurves) {
    const { betas, alphasCumprod, sigmas } = discreteTable({ curve, count: 50 });
    let product = 1;
    betas.forEach((beta, t) => {
      assert.ok(beta > 0 && beta < 1);
      product *= 1 - beta;
      near(alphasCumprod[t], product, 1e-12);
      if (t > 0) assert.ok(sigmas[t] > sigmas[t - 1]);
    });
  }
});

test("zeroTerminalSnr: the first timestep stays, the last has no signal", () => {
  const [plain, zero] = [discreteTable(), discreteTable({ zeroTerminalSnr: true })];
  near(zero.alphasCumprod[0], plain.alphasCumprod[0], 1e-12);
  assert.is(zero.alphasCumprod[999], 0);
  assert.is(zero.sigmas[999], Infinity);
});

test("float32: every entry is a float32, next to the exact one", () => {
  const [rounded, exact] = [discreteTable({ precision: "float32" }), discreteTable()];
  rounded.alphasCumprod.forEach((abar, t) => {
    assert.is(abar, Math.fround(abar));
    near(abar, exact.alphasCumprod[t], 1e-4);
  });
});

test("timestepAt is the inverse of sigmaAt at whole timesteps, and clamps outside", () => {
  const table = discreteTable();
  for (const t of [0, 1, 500, 998, 999]) assert.ok(Math.abs(timestepAt(table, sigmaAt(table, t)) - t) < 1e-9);
  assert.is(timestepAt(table, 1e-6), 0);
  assert.is(timestepAt(table, 1e6), 999);
  const between = sigmaAt(table, 10.5);
  assert.ok(between > table.sigmas[10] && between < table.sigmas[11]);
});

test("mixingAt: signal² + noise² = 1; refuses other timesteps", () => {
  const table = discreteTable();
  const { signal, noise } = mixingAt(table, 321);
  near(signal ** 2 + noise ** 2, 1, 1e-12);
  for (const t of [-1, 1000, 0.5]) assert.is(thrown(() => mixingAt(table, t)).code, "E_OPTION");
});

test("refuses bounds and counts that make no table", () => {
  for (const options of [
    { betaStart: 0 },
    { betaEnd: 1 },
    { betaStart: 0.02, betaEnd: 0.01 },
    { count: 0 },
    { count: 2.5 },
    { count: 1, zeroTerminalSnr: true },
  ])
    assert.is(thrown(() => discreteTable(options)).code, "E_OPTION");
});

test.run();
