import { suite } from "uvu";
import * as assert from "uvu/assert";
import { renoiseSampler } from "../../../core/diffusion/mod.ts";
import type { SamplerModel } from "../../../core/interfaces/mod.ts";
import { constantArray, input, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { compute } from "../../helpers/compute.ts";

const test = suite("core/diffusion/renoise");

test("renoiseSampler: one call a level, noise before all but the first", () => {
  const { sigmaMax, steps } = renoiseSampler([80, 5, 0.5]);
  assert.is(sigmaMax, 80);
  assert.equal(steps, [
    { rule: "predict", values: { sigma: 80 } },
    { rule: "renoise", values: { sigma: 5 } },
    { rule: "renoise", values: { sigma: 0.5 } },
  ]);
});

test("renoiseSampler: D(x), then D(x + σ·ε)", async () => {
  const { rules } = renoiseSampler([80, 5]);
  const model: SamplerModel = {
    denoise: (x, sigma) => mul(x, sigma),
    noise: () => constantArray([1, -1], [2]),
  };
  const x = constantArray([10, 20], [2]);
  const sigma = input("sigma", []);
  const at = (rule: string) => rules[rule](x, { sigma }, model, {}) as Tensor;
  const { first, next } = await compute(
    { first: at("predict"), next: at("renoise") },
    { sigma: Float32Array.of(2) },
  );
  assert.equal([...first], [20, 40]);
  assert.equal([...next], [(10 + 2) * 2, (20 - 2) * 2]);
});

test.run();
