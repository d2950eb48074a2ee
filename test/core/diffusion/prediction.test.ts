import { suite } from "uvu";
import * as assert from "uvu/assert";
import { convertPrediction, predictionConversion, predictionKinds } from "../../../core/diffusion/mod.ts";
import { constantArray } from "../../../core/ops/mod.ts";
import { compute } from "../../helpers/compute.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/diffusion/prediction");

/** What each kind is, of x0, ε and the mixing. */
const meaning = {
  epsilon: (_x0: number, eps: number) => eps,
  sample: (x0: number) => x0,
  velocity: (x0: number, eps: number, a: number, b: number) => a * eps - b * x0,
  flow: (x0: number, eps: number) => eps - x0,
};
const mixings = [
  [0.8, 0.6],
  [0.07, 0.9975],
  [0.3, 0.7],
  [0.9996, 0.0283],
];
const [x0, eps] = [0.7, -1.3];

test("predictionConversion: every kind from every other, and back", () => {
  for (const [signal, noise] of mixings)
    for (const from of predictionKinds)
      for (const to of predictionKinds) {
        const xt = signal * x0 + noise * eps;
        const { ofPrediction, ofSample } = predictionConversion(from, to, { signal, noise });
        const given = meaning[from](x0, eps, signal, noise);
        const expected = meaning[to](x0, eps, signal, noise);
        const made = ofPrediction * given + ofSample * xt;
        assert.ok(Math.abs(made - expected) < 1e-12, `${from} to ${to}: ${made}, ${expected}`);
        const back = predictionConversion(to, from, { signal, noise });
        assert.ok(Math.abs(back.ofPrediction * made + back.ofSample * xt - given) < 1e-11);
      }
});

test("convertPrediction: the same on the device, with mixings by sample", async () => {
  const column = (values: number[]) => constantArray(values, [values.length, 1]);
  const [signal, noise] = [column(mixings.map(([a]) => a)), column(mixings.map(([, b]) => b))];
  const xt = column(mixings.map(([a, b]) => a * x0 + b * eps));
  for (const from of predictionKinds)
    for (const to of predictionKinds) {
      const given = column(mixings.map(([a, b]) => meaning[from](x0, eps, a, b)));
      const { y } = await compute({
        y: convertPrediction(given, xt, { from, to, signal, noise }),
      });
      mixings.forEach(([a, b], i) => {
        const expected = meaning[to](x0, eps, a, b);
        // float32, and a division by the mixing
        assert.ok(Math.abs(y[i] - expected) < 5e-6 / Math.min(a, b), `${from} to ${to} ${a}`);
      });
    }
});

test("velocity and flow can be read of pure noise, ε cannot", () => {
  const mixing = { signal: 0, noise: 1 };
  assert.equal(predictionConversion("velocity", "sample", mixing), {
    ofPrediction: -1,
    ofSample: 0,
  });
  assert.equal(predictionConversion("flow", "sample", mixing).ofPrediction, -1);
  const error = thrown(() => predictionConversion("epsilon", "sample", mixing));
  assert.is(error.code, "E_OPTION");
  assert.match(error.message, /^Cannot convert epsilon to sample: x_t is 0·x0 \+ 1·ε/);
});

test.run();
