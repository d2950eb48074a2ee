import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Lowering } from "../../../../backends/wasm/kernel.ts";
import { convGeometry } from "../../../../backends/wasm/kernels/convolution.ts";
import { convVariant, winogradConv, winogradWeightGrad } from "../../../../backends/wasm/kernels/winograd.ts";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import { planKernels } from "../../../../backends/wasm/translate.ts";
import { program } from "../../../../core/graph/mod.ts";
import { conv2d, conv2dInputGrad, conv2dWeightGrad, input } from "../../../../core/ops/mod.ts";
import { sizeOf } from "../../../../core/tensor/shape.ts";
import type { Tensor } from "../../../../core/tensor/tensor.ts";
import { admStep } from "../../../helpers/admStep.ts";
import { benchUnet } from "../../../helpers/footprint.ts";
import { check, noise, tensor } from "./runPlan.ts";

const test = suite("backends/wasm/kernels/winograd");

type Size = readonly [B: number, C: number, H: number, W: number, O: number, padH?: number, padW?: number];

/** Checks Winograd's kernels, whether or not they would be chosen for the size, as closely as direct ones. */
function checkAll([B, C, H, W, O, padH = 1, padW = padH]: Size): void {
  const [x, weight] = [tensor(B, C, H, W), tensor(O, C, 3, 3)];
  const conv = { stride: [1, 1], padding: [padH, padW] } as { stride: [number, number]; padding: [number, number] };
  const y = conv2d(x, weight, conv);
  const dy = tensor(...y.shape);
  const g = convGeometry(x.shape, weight.shape, y.shape, conv);
  const by = (op: string, plan: (node: Tensor) => ReturnType<Lowering["plan"]>): Lowering => ({ op, plan });
  check(
    by("conv2d", (node) => winogradConv(x, weight, node, g, false)),
    y,
  );
  check(
    by("conv2dInputGrad", (node) => winogradConv(dy, weight, node, g, true)),
    conv2dInputGrad(dy, weight, { ...conv, size: [H, W] }),
  );
  check(
    by("conv2dWeightGrad", (node) => winogradWeightGrad(x, dy, node, g)),
    conv2dWeightGrad(x, dy, { ...conv, kernel: [3, 3] }),
  );
}

test("the layers of a U-Net, small", () => {
  checkAll([4, 32, 16, 16, 24]);
  checkAll([8, 24, 8, 8, 32]);
  checkAll([3, 16, 32, 32, 16]);
});

test("any height, and any width from 4 on", () => {
  for (const size of [4, 5, 6, 7, 10, 13, 14, 28, 30]) checkAll([2, 5, size, size, 7]);
  for (const height of [1, 2, 3, 9]) for (const width of [4, 7, 18]) checkAll([3, 4, height, width, 6]);
  checkAll([1, 3, 5, 130, 4]);
});

test("paddings of 0 to 2", () => {
  for (const padH of [0, 1, 2])
    for (const padW of [0, 1, 2])
      for (const [H, W] of [
        [6, 6],
        [7, 11],
        [9, 16],
      ])
        checkAll([2, 3, H, W, 5, padH, padW]);
});

test("every number of channels, one image", () => {
  for (let channels = 1; channels <= 17; channels++) {
    checkAll([1, channels, 9, 8, 18 - channels]);
    checkAll([1, channels, 8, 12, channels]);
  }
  for (let channels = 19; channels <= 39; channels += 4) checkAll([1, channels, 8, 8, 58 - channels]);
});

test("sums over many channels, blocks of channels and outputs", () => {
  checkAll([1, 130, 8, 8, 20]);
  checkAll([1, 20, 8, 8, 130]);
  checkAll([1, 256, 4, 8, 256]);
});

test("weights in parts where those of all outputs would take too much space", () => {
  checkAll([1, 1100, 4, 4, 31]);
});

test("many tiles: chunks of the gradient, blocks that end within a row", () => {
  checkAll([37, 4, 9, 8, 5]);
  checkAll([5, 6, 28, 28, 9]);
  checkAll([1, 4, 7, 150, 4]);
});

test("the bench U-Net is computed both ways, in all three directions", () => {
  const plans = [...planKernels(admStep(benchUnet).program)];
  for (const op of ["conv2d", "conv2dInputGrad", "conv2dWeightGrad"]) {
    const variants = plans.filter(([node]) => node.op.name === op).map(([, plan]) => plan.variant);
    assert.ok(variants.includes("winograd") && variants.includes("direct"), op);
  }
});

test("few channels, few tiles, tiles that are mostly empty, strides and other kernels are computed directly", () => {
  const variantsOf = (B: number, C: number, O: number, size: number, kernel = 3, stride = 1) => {
    const [x, weight] = [tensor(B, C, size, size), tensor(O, C, kernel, kernel)];
    const conv = { stride: [stride, stride], padding: [kernel >> 1, kernel >> 1] } as const;
    const y = conv2d(x, weight, { stride: [stride, stride], padding: [kernel >> 1, kernel >> 1] });
    const g = convGeometry(x.shape, weight.shape, y.shape, conv);
    return [...new Set((["conv2d", "conv2dInputGrad", "conv2dWeightGrad"] as const).map((op) => convVariant(op, g)))];
  };
  assert.equal(variantsOf(4, 32, 32, 8), ["winograd"]);
  assert.equal(variantsOf(4, 32, 32, 7), ["winograd"]);
  assert.equal(variantsOf(1, 8, 8, 28), ["winograd"]);
  assert.equal(variantsOf(16, 7, 7, 16), ["direct"]);
  assert.equal(variantsOf(16, 16, 3, 16), ["direct"]);
  assert.equal(variantsOf(3, 512, 512, 8), ["direct"]);
  // Only where few channels are transformed.
  assert.equal(variantsOf(16, 3, 32, 16), ["direct", "winograd"]);
  assert.equal(variantsOf(16, 32, 3, 16), ["winograd", "direct"]);
  assert.equal(variantsOf(64, 32, 32, 5), ["direct"]);
  assert.equal(variantsOf(64, 32, 32, 3), ["direct"]);
  assert.equal(variantsOf(16, 32, 32, 16, 3, 2), ["direct"]);
  assert.equal(variantsOf(16, 32, 32, 16, 1), ["direct"]);
  assert.equal(variantsOf(16, 32, 32, 16, 5), ["direct"]);
});

test("the same bits on 1, 2 and 3 threads, with both tile sets", async () => {
  const [x, weight, dy] = [input("x", [9, 20, 13, 14]), input("weight", [70, 20, 3, 3]), input("dy", [9, 70, 13, 14])];
  const conv = { stride: [1, 1], padding: [1, 1] } as { stride: [number, number]; padding: [number, number] };
  const outputs = {
    y: conv2d(x, weight, conv),
    dx: conv2dInputGrad(dy, weight, { ...conv, size: [13, 14] }),
    dw: conv2dWeightGrad(x, dy, { ...conv, kernel: [3, 3] }),
  };
  const three = program({ name: "three convolutions", outputs });
  for (const plan of planKernels(three).values()) assert.is(plan.variant, "winograd");
  const data = Object.fromEntries(
    [x, weight, dy].map((node, i) => [node.attrs.name, noise(sizeOf(node.shape), i + 1)]),
  );
  let expected: unknown;
  for (const options of [{ threads: 1 }, { threads: 2 }, { threads: 3, wide: true }, { threads: 1, wide: true }]) {
    const backend = await WasmBackend.open(options);
    const executable = await backend.compile(three, backend.createMemory());
    await executable.run(data);
    const results = await Promise.all(Object.keys(outputs).map((name) => executable.read(name)));
    expected ??= results;
    assert.equal(results, expected, JSON.stringify(options));
    await backend.close();
  }
});

test.run();
