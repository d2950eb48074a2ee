import { suite } from "uvu";
import * as ops from "../../../core/ops/mod.ts";
import {
  checkKernel,
  closeTestBackends,
  floats,
  type HostTensor,
  integers,
  tolerances,
} from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/kernels");
test.after(closeTestBackends);

const { exact, sum } = tolerances;

test("transpose: any order of axes", async () => {
  const orders: [number[], number[]][] = [
    [[1], [0]],
    [
      [7, 13],
      [1, 0],
    ],
    [
      [3, 5, 7],
      [2, 0, 1],
    ],
    [
      [2, 3, 1, 5],
      [0, 2, 3, 1],
    ],
    [
      [2, 3, 4, 5],
      [3, 2, 1, 0],
    ],
    [
      [2, 3, 2, 5, 3],
      [4, 2, 0, 3, 1],
    ],
    [
      [2, 1, 3, 2, 1, 2, 3],
      [6, 0, 5, 1, 3, 2, 4],
    ],
  ];
  for (const [shape, order] of orders)
    await checkKernel(`transpose ${order}`, (x) => ops.transpose(x, order), [floats(shape)], exact);
  await checkKernel("transpose i32", (x) => ops.transpose(x), [integers([5, 3], 1, -9, 9)], exact);
});

test("concat, slice and pad: first, middle and last axis", async () => {
  for (const axis of [0, 1, 2]) {
    const wide = [3, 5, 7].map((size, i) => (i === axis ? 4 : size));
    const join = (a: never, b: never) => ops.concat([a, b, a], axis);
    await checkKernel(`concat ${axis}`, join as never, [floats([3, 5, 7]), floats(wide, 2)], exact);
    await checkKernel(`slice ${axis}`, (x) => ops.slice(x, { axis, start: 1, end: 3 }), [floats([3, 5, 7])], exact);
    await checkKernel(`pad ${axis}`, (x) => ops.pad(x, { axis, before: 2, after: 1 }), [floats([3, 5, 7])], exact);
  }
  await checkKernel("pad one", (x) => ops.pad(x, { axis: 0, before: 0, after: 99 }), [floats([1])], exact);
});

test("takeRows clamps its indices, addRows adds up the rows", async () => {
  const index: HostTensor = { shape: [7], data: Int32Array.of(0, 4, 2, -3, 99, 2, 4) };
  for (const width of [1, 3, 64, 67]) {
    await checkKernel("takeRows", (t, i) => ops.takeRows(t, i), [floats([5, width]), index], exact);
    const add = (x: never, i: never) => ops.addRows(x, i, { rows: 5 });
    await checkKernel("addRows", add as never, [floats([7, width]), index], sum);
  }
});

test("upsampleNearest and sumPool: any factor, with a scale, over leading axes", async () => {
  for (const [h, w, factor] of [
    [1, 1, 1],
    [3, 5, 2],
    [2, 7, 3],
    [4, 1, 5],
  ])
    for (const scale of [1, 0.25]) {
      const attrs = { factor, scale };
      const small = floats([2, 3, h, w]);
      const large = floats([3, h * factor, w * factor], 2);
      await checkKernel("upsampleNearest", (x) => ops.upsampleNearest(x, attrs), [small], exact);
      await checkKernel("sumPool", (x) => ops.sumPool(x, attrs), [large], sum);
    }
});

test("maxPool2d: windows, steps and borders of every kind", async () => {
  for (const [shape, kernel, stride, padding] of [
    [[1, 1], 1, 1, 0],
    [[2, 3, 5, 7], 3, 2, 0],
    [[2, 8, 8], 3, 1, 1],
    [[2, 9, 21], [2, 3], [1, 2], 1],
    [
      [2, 6, 13],
      [1, 4],
      [2, 3],
      [0, 2],
    ],
  ] as const)
    await checkKernel("maxPool2d", (x) => ops.maxPool2d(x, { kernel, stride, padding }), [floats([...shape])], exact);
});

test("a dispatch of more than 65535 workgroups is folded", async () => {
  const rows = 65_535 * 64 + 65;
  await checkKernel("slice large", (x) => ops.slice(x, { axis: 0, start: 1 }), [floats([rows])], exact);
});

test.run();
