import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ancestralStep, sigmaSpacings, spacedSigmas, vpSigma, vpTime } from "../../../core/diffusion/mod.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/diffusion/sigmaSpacings");
const bounds = { sigmaMin: 0.03, sigmaMax: 14.6 };
const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-9 * (1 + Math.abs(expected)), `${actual}`);

test("all fall from the highest to the lowest level; one level is the highest", () => {
  for (const spacing of sigmaSpacings) {
    const sigmas = spacedSigmas(9, spacing, { ...bounds, rho: 2 });
    assert.is(sigmas.length, 9);
    for (let i = 1; i < 9; i++) assert.ok(sigmas[i] < sigmas[i - 1]);
    const [high, low] = spacing === "vp" ? [vpSigma(1), vpSigma(1e-3)] : [14.6, 0.03];
    near(sigmas[0], high);
    near(sigmas[8], low);
    near(spacedSigmas(1, spacing, bounds)[0], high);
  }
});

test("exponential levels have one ratio; polyexponential with rho 1 is the same", () => {
  const sigmas = spacedSigmas(5, "exponential", bounds);
  for (let i = 2; i < 5; i++) near(sigmas[i] / sigmas[i - 1], sigmas[1] / sigmas[0]);
  spacedSigmas(5, "polyexponential", { ...bounds, rho: 1 }).forEach((sigma, i) => {
    near(sigma, sigmas[i]);
  });
});

test("vpTime is the inverse of vpSigma", () => {
  for (const time of [1e-3, 0.2, 1]) near(vpTime(vpSigma(time)), time);
});

test("ancestralStep: down² + up² = next², no noise at eta 0 and at the last step", () => {
  const { down, up } = ancestralStep(5, 2, 0.7);
  near(down ** 2 + up ** 2, 4);
  assert.equal(ancestralStep(5, 2, 0), { down: 2, up: 0 });
  assert.equal(ancestralStep(5, 0), { down: 0, up: 0 });
  // Beyond all of the next level there is nothing to add.
  assert.equal(ancestralStep(5, 2, 100), { down: 0, up: 2 });
});

test("refuses no levels and bounds the wrong way round", () => {
  assert.is(thrown(() => spacedSigmas(0, "karras", bounds)).code, "E_OPTION");
  assert.is(thrown(() => spacedSigmas(3, "exponential", { sigmaMin: 2, sigmaMax: 1 })).code, "E_OPTION");
});

test.run();
