import { suite } from "uvu";
import * as assert from "uvu/assert";
import { karrasSigmas, sigmaGrid } from "../../../core/diffusion/mod.ts";

const test = suite("core/diffusion/sigmas");

const bounds = { sigmaMin: 0.002, sigmaMax: 80 };

test("sigmaGrid: the check values of the DMD2 code's 1000 levels", () => {
  const grid = sigmaGrid(1000, bounds);
  // spec/dmd2.md §2.2; six digits each
  const expected: Record<number, number> = {
    0: 0.002,
    1: 0.0020502,
    20: 0.00323159,
    100: 0.0167514,
    250: 0.170312,
    500: 2.52651,
    750: 17.6173,
    980: 72.0539,
    998: 79.5638,
    999: 80,
  };
  for (const [index, sigma] of Object.entries(expected)) {
    const actual = grid[Number(index)];
    assert.ok(Math.abs(actual / sigma - 1) < 3e-6, `level ${index} is ${actual}`);
  }
});

test("karrasSigmas: decreasing, without the final zero; the bend is rho", () => {
  const sigmas = karrasSigmas(18, bounds);
  assert.is(sigmas.length, 18);
  assert.ok(sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1]));
  assert.equal(karrasSigmas(3, { sigmaMin: 1, sigmaMax: 3, rho: 1 }), [3, 2, 1]);
  assert.equal(karrasSigmas(1, bounds), [80]);
});

test.run();
