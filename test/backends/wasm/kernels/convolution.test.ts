import { suite } from "uvu";
import { conv2d as forward } from "../../../../backends/wasm/kernels/conv2d.ts";
import { conv2dInputGrad as inputGrad } from "../../../../backends/wasm/kernels/conv2dInputGrad.ts";
import { conv2dWeightGrad as weightGrad } from "../../../../backends/wasm/kernels/conv2dWeightGrad.ts";
import { conv2d, conv2dInputGrad, conv2dWeightGrad } from "../../../../core/ops/mod.ts";
import { check, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/convolution");

interface Case {
  /** B, C, H, W. */
  readonly x: [number, number, number, number];
  /** O, R, S. */
  readonly weight: [number, number, number];
  readonly stride?: [number, number];
  readonly padding?: [number, number];
}

function checkAll({ x: size, weight: [O, R, S], stride = [1, 1], padding = [0, 0] }: Case): void {
  const [B, C, H, W] = size;
  const [x, weight] = [tensor(B, C, H, W), tensor(O, C, R, S)];
  const y = conv2d(x, weight, { stride, padding });
  const dy = tensor(...y.shape);
  check(forward, y);
  check(inputGrad, conv2dInputGrad(dy, weight, { stride, padding, size: [H, W] }));
  check(weightGrad, conv2dWeightGrad(x, dy, { stride, padding, kernel: [R, S] }));
}

test("the layers of a U-Net, small", () => {
  checkAll({ x: [3, 12, 16, 16], weight: [8, 3, 3], padding: [1, 1] });
  checkAll({ x: [20, 8, 8, 8], weight: [12, 3, 3], padding: [1, 1] });
  checkAll({ x: [2, 8, 16, 16], weight: [8, 3, 3], padding: [1, 1], stride: [2, 2] });
  checkAll({ x: [2, 24, 8, 8], weight: [16, 1, 1] });
  checkAll({ x: [2, 3, 16, 16], weight: [32, 3, 3], padding: [1, 1] });
  checkAll({ x: [2, 32, 16, 16], weight: [3, 3, 3], padding: [1, 1] });
});

test("every kernel, stride and padding at odd sizes", () => {
  for (const [R, S] of [
    [1, 1],
    [3, 3],
    [2, 5],
    [4, 1],
  ] as const)
    for (const stride of [
      [1, 1],
      [2, 2],
      [3, 1],
      [1, 4],
    ] as [number, number][])
      for (const padding of [
        [0, 0],
        [1, 1],
        [3, 2],
        [0, 5],
      ] as [number, number][])
        for (const [H, W] of [
          [5, 7],
          [9, 6],
          [4, 13],
        ])
          checkAll({ x: [2, 3, H, W], weight: [5, R, S], stride, padding });
});

test("one element, one pixel, prime channels", () => {
  checkAll({ x: [1, 1, 1, 1], weight: [1, 1, 1] });
  checkAll({ x: [1, 1, 1, 1], weight: [1, 3, 3], padding: [1, 1] });
  checkAll({ x: [5, 7, 1, 1], weight: [11, 1, 1] });
  checkAll({ x: [3, 13, 7, 7], weight: [17, 3, 3], padding: [1, 1] });
  checkAll({ x: [3, 5, 7, 7], weight: [7, 1, 1] });
  checkAll({ x: [1, 2, 28, 28], weight: [3, 5, 5], padding: [2, 2] });
  checkAll({ x: [2, 3, 6, 6], weight: [4, 1, 1], stride: [2, 2] });
  checkAll({ x: [2, 3, 6, 6], weight: [4, 6, 6] });
});

test("strips of tall images, blocks of many channels, chunks of the batch", () => {
  checkAll({ x: [1, 3, 70, 18], weight: [5, 3, 3], padding: [1, 1] });
  checkAll({ x: [2, 2, 37, 36], weight: [3, 3, 3], padding: [1, 1], stride: [2, 1] });
  checkAll({ x: [2, 150, 6, 6], weight: [133, 3, 3], padding: [1, 1] });
  checkAll({ x: [37, 2, 9, 8], weight: [6, 3, 3], padding: [1, 1] });
  checkAll({ x: [1, 300, 40, 24], weight: [4, 3, 3], padding: [1, 1] });
});

test.run();
