import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  discreteDenoiser,
  discreteTable,
  flowDenoiser,
  flowSigma,
  flowTime,
  nearestTimestep,
  shiftTime,
} from "../../../core/diffusion/mod.ts";
import { constantArray, mul, reshape, sub, toFloat } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { compute } from "../../helpers/compute.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/diffusion/discreteDenoiser");
const table = discreteTable();

test("nearestTimestep: by ln σ, clamped to the table", async () => {
  const sigmas = [1e-4, 0.02917, 0.69321, 14.61, 1e3, Math.sqrt(table.sigmas[7] * table.sigmas[8]) * 1.001];
  const { t } = await compute({ t: nearestTimestep(constantArray(sigmas, [6]), table) });
  assert.equal([...t], [0, 0, 249, 999, 999, 8]);
});

test("discreteDenoiser: D(x; σ) from ε, velocity and sample predictions of one truth", async () => {
  // The truth x0 = 0.4 and ε = −0.9, at timestep 300.
  const [x0, eps, sigma] = [0.4, -0.9, table.sigmas[300]];
  const [a, b] = [1 / Math.hypot(sigma, 1), sigma / Math.hypot(sigma, 1)];
  const x = constantArray([x0 + sigma * eps, 0], [2, 1]);
  const levels = constantArray([sigma, sigma], [2]);
  for (const [kind, value] of [
    ["epsilon", eps],
    ["velocity", a * eps - b * x0],
    ["sample", x0],
  ] as const) {
    const seen: Tensor[] = [];
    const network = (xt: Tensor, timestep: Tensor) => {
      seen.push(xt, toFloat(timestep));
      return constantArray([value, 0], [2, 1]);
    };
    const y = discreteDenoiser(network, table, kind).denoise(x, levels, {});
    const result = await compute({ y, xt: seen[0], t: seen[1] });
    assert.ok(Math.abs(result.y[0] - x0) < 1e-6, `${kind}: ${result.y[0]}`);
    assert.ok(Math.abs(result.xt[0] - (a * x0 + b * eps)) < 1e-6);
    assert.is(result.t[0], 300);
  }
});

test("flowDenoiser: x_t − t·v at t = σ/(1 + σ)", async () => {
  const [x0, eps, sigma] = [0.4, -0.9, 3];
  const x = constantArray([x0 + sigma * eps], [1, 1]);
  const network = (xt: Tensor, time: Tensor) =>
    // v = (x_t − x0)/t
    mul(sub(xt, x0), reshape(sub(0, sub(0, mul(time, 1 / 0.75 ** 2))), [1, 1]));
  const y = flowDenoiser(network).denoise(x, constantArray([sigma], [1]), {});
  assert.ok(Math.abs((await compute({ y })).y[0] - x0) < 1e-6);
});

test("flow times and levels are inverse; a shift of time is a factor of the level", () => {
  for (const time of [0, 0.1, 0.5, 0.999]) {
    assert.ok(Math.abs(flowTime(flowSigma(time)) - time) < 1e-12);
    const moved = flowSigma(shiftTime(time, 3));
    assert.ok(Math.abs(moved - 3 * flowSigma(time)) < 1e-9 * (1 + moved));
  }
  assert.is(flowTime(flowSigma(1)), 1);
  assert.is(thrown(() => flowSigma(1.2)).code, "E_OPTION");
});

test.run();
