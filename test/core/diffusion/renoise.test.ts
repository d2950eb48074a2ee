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
  assert.equal(
    steps.map(({ rule, values }) => [rule.name, values]),
    [
      ["predict", { sigma: 80 }],
      ["renoiseAndPredict", { sigma: 5, rise: 5 }],
      ["renoiseAndPredict", { sigma: 0.5, rise: 0.5 }],
    ],
  );
  assert.is(steps[1].rule, steps[2].rule);
  assert.is(renoiseSampler([3, 1]).steps[1].rule, steps[1].rule, "samplers share their rules");
  const [, kept] = renoiseSampler([80, 5], 80, 3).steps;
  assert.equal(kept.values, { sigma: 5, rise: 4 }, "√(σ² − floor²)");
});

test("renoiseSampler: D(x), then D(x + rise·ε)", async () => {
  const { steps } = renoiseSampler([80, 5]);
  const model: SamplerModel = {
    denoise: (x, sigma) => mul(x, sigma),
    noise: () => constantArray([1, -1], [2]),
  };
  const x = constantArray([10, 20], [2]);
  const values = { sigma: input("sigma", []), rise: input("rise", []) };
  const at = (step: number) => steps[step].rule(x, values, model, {}) as Tensor;
  const { first, next } = await compute(
    { first: at(0), next: at(1) },
    { sigma: Float32Array.of(2), rise: Float32Array.of(3) },
  );
  assert.equal([...first], [20, 40]);
  assert.equal([...next], [(10 + 3) * 2, (20 - 3) * 2]);
});

test.run();
