import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program } from "../../../core/graph/mod.ts";
import type { Footprint } from "../../../core/interfaces/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { type Shape, type Tensor, withStorage } from "../../../core/tensor/mod.ts";
import {
  checkKernel,
  closeTestBackends,
  floats,
  integers,
  testBackend,
  tolerances,
} from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/halfKernels");
test.after(closeTestBackends);

/** An op over operands that are kept in f16, its result too, against the reference that rounds them. */
function check(name: string, build: (...x: Tensor[]) => Tensor, ...shapes: readonly Shape[]): Promise<unknown> {
  const kept = (...x: Tensor[]) => withStorage("f16", () => build(...x.map((each) => ops.mul(each, 0.5))));
  return checkKernel(
    `${name} in f16`,
    kept,
    shapes.map((shape, i) => floats(shape, i + 1)),
    tolerances.half,
  );
}

test("matmul: odd sizes, transposed, batches, long sums", async () => {
  await check("matmul", (a, b) => ops.matmul(a, b), [7, 13], [13, 5]);
  await check("matmul", (a, b) => ops.matmul(a, b), [3, 8, 16], [16, 12]);
  await check("matmul", (a, b) => ops.matmul(a, b, { transA: true }), [13, 7], [13, 5]);
  await check("matmul", (a, b) => ops.matmul(a, b, { transB: true }), [2, 7, 12], [2, 9, 12]);
  await check("matmul", (a, b) => ops.matmul(a, b), [3, 1031], [1031, 5]);
});

test("conv2d and its gradients: odd sizes, stride, pointwise", async () => {
  const cases = [
    { x: [2, 3, 5, 7], w: [4, 3, 3, 3], stride: [1, 1], padding: [1, 1] },
    { x: [2, 8, 8, 8], w: [12, 8, 3, 3], stride: [1, 1], padding: [1, 1] },
    { x: [3, 5, 9, 11], w: [7, 5, 3, 3], stride: [2, 2], padding: [1, 1] },
    { x: [3, 7, 5, 3], w: [9, 7, 1, 1], stride: [1, 1], padding: [0, 0] },
  ] as const;
  for (const { x, w, ...geometry } of cases) {
    const y = ops.conv2d(ops.input("x", x), ops.input("w", w), geometry).shape;
    const size = [x[2], x[3]] as const;
    const kernel = [w[2], w[3]] as const;
    await check("conv2d", (a, b) => ops.conv2d(a, b, geometry), x, w);
    await check("conv2dInputGrad", (dy, b) => ops.conv2dInputGrad(dy, b, { ...geometry, size }), y, w);
    await check("conv2dWeightGrad", (a, dy) => ops.conv2dWeightGrad(a, dy, { ...geometry, kernel }), x, y);
  }
});

test("norms and their gradients", async () => {
  for (const S of [7, 16]) {
    const [x, affine] = [
      [2, 3, 4, S],
      [1, 3, 4],
    ];
    for (const activation of ["none", "silu"] as const) {
      const attrs = { eps: 1e-5, activation };
      await check("groupNormalize", (a, b, c) => ops.groupNormalize(a, b, c, attrs), x, affine, affine);
      await check(
        "groupNormalizeGrad",
        (a, b, c, dy) => {
          const all = ops.groupNormalizeGrad(a, b, c, dy, attrs);
          return ops.view(all, { offset: 0, shape: x });
        },
        x,
        affine,
        affine,
        x,
      );
    }
  }
  for (const N of [13, 64]) await check("normalize", (x) => ops.normalize(x), [5, N]);
});

test("softmax and attention", async () => {
  for (const N of [1, 7, 64, 300]) await check("softmax", (x) => ops.softmax(x), [3, N]);
  for (const [N, M, D] of [
    [5, 7, 3],
    [16, 16, 8],
  ])
    await check("attention", (q, k, v) => ops.attention(q, k, v), [2, N, D], [2, M, D], [2, M, D]);
});

test("sums over any axes, and maxima", async () => {
  for (const axes of [[0], [1], [2], [0, 2], [1, 2]])
    for (const shape of [
      [3, 5, 7],
      [4, 16, 64],
      [2, 3, 3001],
    ]) {
      await check(`sum over ${axes}`, (x) => ops.sum(x, { axes }), shape);
      await check(`max over ${axes}`, (x) => ops.max(x, { axes }), shape);
    }
});

test("kernels that move elements", async () => {
  await check("transpose", (x) => ops.transpose(x, [2, 0, 1]), [3, 5, 7]);
  await check("concat", (a, b) => ops.concat([a, b], 1), [3, 5], [3, 6]);
  await check("slice", (x) => ops.slice(x, { axis: 1, start: 1, end: 4 }), [3, 5, 7]);
  await check("pad", (x) => ops.pad(x, { axis: 1, before: 2, after: 1 }), [3, 5]);
  await check("upsampleNearest", (x) => ops.upsampleNearest(x, { factor: 2 }), [2, 3, 5]);
  await check("sumPool", (x) => ops.sumPool(x, { factor: 2 }), [2, 6, 4]);
  await check("maxPool2d", (x) => ops.maxPool2d(x, { kernel: 3, stride: 2, padding: 1 }), [2, 5, 7]);
  await check("view", (x) => ops.softmax(ops.view(x, { offset: 3, shape: [4, 5] })), [40]);
  const index = integers([7], 1, 0, 5);
  await checkKernel(
    "takeRows in f16",
    (t, i) => withStorage("f16", () => ops.takeRows(ops.mul(t, 0.5), i)),
    [floats([5, 3]), index],
    tolerances.half,
  );
});

test("elementwise: broadcast, vectors and odd counts, mixed with f32", async () => {
  for (const N of [1, 7, 64, 1000]) {
    await check("silu", (x, y) => ops.softmax(ops.silu(ops.add(x, y))), [3, N], [N]);
    await check(
      "mixed",
      (x, y) =>
        ops.mul(
          ops.softmax(x),
          withStorage("f32", () => ops.softmax(y)),
        ),
      [3, N],
      [3, N],
    );
  }
});

test("what is too large is infinite, as the reference says", async () => {
  const { traits } = await testBackend();
  if (!traits.f16) return console.log(`${traits.name} has no shader-f16: nothing is too large`);
  await checkKernel(
    "overflow",
    (x) => withStorage("f16", () => ops.transpose(ops.mul(x, 1e6))),
    [floats([5, 7])],
    tolerances.half,
  );
});

test("copies for a convolution take half the bytes too; without shader-f16 all are in f32", async () => {
  const [x, w] = [ops.input("x", [2, 8, 12, 12]), ops.input("w", [8, 8, 3, 3])];
  const geometry = { stride: [1, 1], padding: [1, 1] } as const;
  const deep = () => {
    let y: Tensor = ops.mul(x, 0.5);
    for (let i = 0; i < 3; i++) y = ops.silu(ops.conv2d(y, w, geometry));
    return y;
  };
  const traced = (y: Tensor) => program({ name: "deep", outputs: { y } });
  const [whole, half] = [traced(deep()), traced(withStorage("f16", deep))];
  const device = await testBackend();
  const lesser = await testBackend({ traits: { f16: false } });
  const bytes = ({ planned, added }: Footprint) => planned + added;
  const [inF32, inF16] = [device.footprint(whole), device.footprint(half)].map(bytes);
  if (device.traits.f16) assert.ok(inF16 < 0.75 * inF32, `${inF16} of ${inF32} bytes`);
  const fallback = bytes(lesser.footprint(half));
  assert.ok(fallback >= inF32, `${fallback} of ${inF32} bytes`);
  assert.is(lesser.storesHalf, false);
  await checkKernel(
    "without shader-f16",
    (a, b) => withStorage("f16", () => ops.matmul(ops.mul(a, 0.5), b)),
    [floats([5, 7]), floats([7, 3], 2)],
    tolerances.half,
    { traits: { f16: false } },
  );
});

test.run();
