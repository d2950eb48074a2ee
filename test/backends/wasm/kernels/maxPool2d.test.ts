import { suite } from "uvu";
import { maxPool2d as lowering } from "../../../../backends/wasm/kernels/maxPool2d.ts";
import { maxPool2d } from "../../../../core/ops/mod.ts";
import { check, noise, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/maxPool2d");

test("NaN wins in vectors and at the ends of rows, and borders never do", () => {
  for (const [W, stride] of [
    [5, 1],
    [23, 1],
    [23, 2],
    [24, 3],
  ]) {
    const y = maxPool2d(tensor(2, 7, W), { kernel: 3, stride, padding: 1 });
    const x = noise(14 * W, W);
    check(lowering, y, [x.map((value, i) => (i % 41 === 3 ? Number.NaN : value))], 0);
    check(lowering, y, [x.map((value) => -1e38 * (value + 2))], 0);
  }
});

test.run();
