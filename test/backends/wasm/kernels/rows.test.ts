import { suite } from "uvu";
import { max as maxLowering } from "../../../../backends/wasm/kernels/max.ts";
import { normalize as normalizeLowering } from "../../../../backends/wasm/kernels/normalize.ts";
import { normalizeGrad as gradLowering } from "../../../../backends/wasm/kernels/normalizeGrad.ts";
import { softmax as softmaxLowering } from "../../../../backends/wasm/kernels/softmax.ts";
import { sum as sumLowering } from "../../../../backends/wasm/kernels/sum.ts";
import { max, normalize, normalizeGrad, softmax, sum } from "../../../../core/ops/mod.ts";
import { check, noise, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/rows");

const shapes = [[1], [1, 1], [7, 2], [3, 3], [2, 3, 4], [5, 7], [4, 8], [3, 13], [2, 519], [2, 1024], [1, 5003]];

test("softmax: rows of any length", () => {
  for (const shape of shapes) check(softmaxLowering, softmax(tensor(...shape)));
});

test("softmax: logits far apart, masked ones, and far from zero", () => {
  const x = noise(5 * 37, 1);
  check(softmaxLowering, softmax(tensor(5, 37)), [x.map((value) => value * 300)]);
  check(softmaxLowering, softmax(tensor(5, 37)), [x.map((v, i) => (i % 3 ? v : -Infinity))]);
  check(softmaxLowering, softmax(tensor(5, 37)), [x.map((value) => value - 1e4)]);
  check(softmaxLowering, softmax(tensor(5, 37)), [x.map((v, i) => (i % 50 === 9 ? Number.NaN : v))]);
});

test("sums and maxima of rows and of columns, of any width, with NaN among them", () => {
  for (const width of [1, 3, 4, 7, 15, 16, 33, 64, 117])
    for (const axes of [[0], [1]]) {
      const [x, kept] = [tensor(7, width), { axes, keepDims: true }];
      check(sumLowering, sum(x, kept));
      const data = noise(7 * width, 1);
      check(maxLowering, max(x, kept), [data], 0);
      check(maxLowering, max(x, kept), [data.map((value, i) => (i % 37 === 5 ? Number.NaN : value))], 0);
    }
});

test("normalize and its gradient: rows of any length", () => {
  for (const shape of shapes) {
    check(normalizeLowering, normalize(tensor(...shape)));
    // With two or three elements nearly all of dy cancels.
    const tolerance = shape.at(-1)! < 4 ? 2e-3 : 2e-5;
    check(gradLowering, normalizeGrad(tensor(...shape), tensor(...shape)), undefined, tolerance);
  }
});

test("normalize: a mean 100,000 times the deviation, and rows of equal values", () => {
  const x = noise(3 * 1030, 1).map((value) => 1000 + value * 0.01);
  const dy = noise(3 * 1030, 2);
  check(normalizeLowering, normalize(tensor(3, 1030), { eps: 1e-12 }), [x]);
  check(gradLowering, normalizeGrad(tensor(3, 1030), tensor(3, 1030), { eps: 1e-12 }), [x, dy]);
  check(normalizeLowering, normalize(tensor(2, 64)), [new Float32Array(128).fill(0.5)]);
});

test.run();
