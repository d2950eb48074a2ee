import { suite } from "uvu";
import * as assert from "uvu/assert";
import { lowerings } from "../../../backends/wasm/kernels/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { keyOf } from "../../../core/random/philox.ts";
import type { OpSpec } from "../../../core/tensor/tensor.ts";
import { agree, scattered } from "./compare.ts";

const test = suite("backends/wasm/kernels");

test("every kernel op of core/ops has a lowering; the planner turns pack into copies", () => {
  const names = Object.values(ops)
    .map((op) => (op as { spec?: OpSpec }).spec)
    .filter((spec) => spec?.kind === "kernel")
    .map((spec) => spec!.name);
  assert.ok(names.length > 10);
  assert.equal(
    names.filter((name) => !lowerings.has(name) && name !== "pack"),
    [],
  );
});

const reductions: [shape: number[], axes: number[] | undefined][] = [
  [[1], undefined],
  [[7], undefined],
  [[100_003], undefined],
  [[3, 5], [1]],
  [[3, 5], [0]],
  [[13, 1027], [1]],
  [[1027, 13], [0]],
  [[5, 3, 17], [1]],
  [
    [5, 3, 17],
    [0, 2],
  ],
  [[5, 300, 17], [1]],
  [
    [4, 3, 5, 7],
    [0, 2, 3],
  ],
  [
    [4, 3, 5, 7],
    [1, 3],
  ],
  [
    [2, 3, 4, 5, 6],
    [0, 2, 4],
  ],
  [[70_001, 3], [0]],
  [[3, 40_000], [1]],
  [
    [1, 9, 1],
    [0, 2],
  ],
];
for (const [shape, axes] of reductions) {
  test(`sum of [${shape}] over ${axes ?? "all"}`, () =>
    agree({ x: { shape } }, ({ x }) => ops.sum(x, { axes }), { tolerance: 1e-6, scale: 200 }));
  test(`max of [${shape}] over ${axes ?? "all"}`, () =>
    agree({ x: { shape } }, ({ x }) => ops.max(x, { axes }), { tolerance: 0 }));
  test(`sum and max of integers [${shape}] over ${axes ?? "all"}`, () =>
    agree(
      { x: { shape, dtype: "i32", value: (i) => (i * 7919) % 201 } },
      ({ x }) => ({ sum: ops.sum(x, { axes }), max: ops.max(x, { axes }) }),
      { tolerance: 0 },
    ));
}

test("the sum of a million numbers is exact to a few units in the last place", () =>
  agree({ x: { shape: [1_000_000], value: (i) => 1 + (i % 7) / 10 } }, ({ x }) => ops.sum(x), {
    tolerance: 2e-7,
  }));

const permutations: [shape: number[], permutation: number[] | undefined][] = [
  [[1, 1], undefined],
  [[3, 5], undefined],
  [[64, 64], undefined],
  [[67, 131], undefined],
  [[5, 1, 3], undefined],
  [
    [2, 3, 5],
    [2, 0, 1],
  ],
  [
    [2, 3, 5],
    [1, 0, 2],
  ],
  [
    [2, 3, 5],
    [2, 1, 0],
  ],
  [
    [4, 9, 3, 16],
    [0, 2, 1, 3],
  ],
  [
    [4, 9, 3, 16],
    [0, 2, 3, 1],
  ],
  [
    [2, 17, 13, 3],
    [0, 3, 1, 2],
  ],
  [
    [2, 3, 4, 5, 6],
    [4, 3, 2, 1, 0],
  ],
  [
    [2, 3, 4, 5, 6],
    [1, 0, 3, 2, 4],
  ],
  [
    [2, 1, 4, 70],
    [2, 1, 0, 3],
  ],
];
for (const [shape, permutation] of permutations)
  test(`transpose of [${shape}] to ${permutation ?? "the last two swapped"}`, () =>
    agree({ x: { shape } }, ({ x }) => ops.transpose(x, permutation), { tolerance: 0 }));

test("concat, slice and pad along every axis", async () => {
  for (const axis of [0, 1, 2])
    for (const shape of [
      [3, 5, 7],
      [2, 2, 200],
      [1, 1, 1],
    ]) {
      const other = shape.map((size, i) => (i === axis ? 4 : size));
      await agree(
        { a: { shape }, b: { shape: other } },
        ({ a, b }) => {
          const joined = ops.concat([a, b], axis);
          return {
            joined,
            taken: ops.slice(joined, { axis, start: 1, end: 4 }),
            padded: ops.pad(a, { axis, before: 2, after: 1 }),
            behind: ops.pad(a, { axis, before: 0, after: 70 }),
          };
        },
        { tolerance: 0 },
      );
    }
});

test("takeRows and addRows, with indices that repeat and that are out of range", async () => {
  for (const [V, D, M] of [
    [1, 1, 1],
    [7, 3, 20],
    [10, 64, 33],
    [5, 129, 77],
    [300, 1, 4000],
  ])
    await agree(
      {
        table: { shape: [V, D] },
        x: { shape: [M, D] },
        index: { shape: [M], dtype: "i32", value: (i) => ((i * 31) % (V + 2)) - 1 },
      },
      ({ table, x, index }) => ({
        taken: ops.takeRows(table, index),
        added: ops.addRows(x, index, { rows: V }),
      }),
      { tolerance: 1e-6, scale: 10 },
    );
});

test("upsampleNearest and sumPool", async () => {
  for (const [shape, factor] of [
    [[1, 1], 2],
    [[2, 3, 5, 7], 2],
    [[3, 8, 8], 2],
    [[2, 3, 5], 3],
    [[4, 6], 1],
  ] as [number[], number][])
    await agree(
      { x: { shape }, z: { shape: shape.map((n, i) => n * (i < shape.length - 2 ? 1 : factor)) } },
      ({ x, z }) => ({
        up: ops.upsampleNearest(x, { factor, scale: 0.75 }),
        down: ops.sumPool(z, { factor, scale: 0.25 }),
      }),
      { tolerance: 3e-7 },
    );
});

test("maxPool2d: windows, steps and borders of every kind, images of one pixel to odd ones", async () => {
  for (const [shape, kernel, stride, padding] of [
    [[1, 1], 1, 1, 0],
    [[2, 3, 5, 7], 3, 2, 0],
    [[3, 17, 17], 3, 2, 0],
    [[2, 8, 8], 3, 1, 1],
    [[2, 9, 21], [2, 3], [1, 2], 1],
    [[5, 4], [5, 1], 3, 0],
    [
      [2, 6, 13],
      [1, 4],
      [2, 3],
      [0, 2],
    ],
    [
      [1, 40],
      [1, 7],
      [1, 2],
      [0, 3],
    ],
  ] as [number[], ops.Pair, ops.Pair, ops.Pair][])
    await agree({ x: { shape } }, ({ x }) => ({ y: ops.maxPool2d(x, { kernel, stride, padding }) }), { tolerance: 0 });
});

for (const distribution of ["uniform", "normal"] as const)
  test(`random ${distribution} numbers are the oracle's`, async () => {
    for (const [seed, step, size] of [
      [1, 0, 1],
      [2 ** 40 + 17, 3, 4],
      [0xffffffff, 0x7fffffff, 1023],
      [7, 12, 100_001],
    ])
      await agree(
        { key: { shape: [3], dtype: "i32", value: (i) => keyOf(seed, step)[i] } },
        ({ key }) => ops.random(key, { distribution, stream: 5, shape: [size] }),
        // The integers are the same; only the arithmetic after them may differ.
        { tolerance: distribution === "uniform" ? 0 : 1e-6 },
      );
  });

test("parts are packed in place, with zeros between them", () =>
  agree({ a: { shape: [5, 3] }, b: { shape: [7] } }, ({ a, b }) =>
    ops.pack([ops.sum(a, { axes: [0] }), ops.exp(b), ops.reshape(a, [15])], [0, 64, 128], 150),
  ));

test("a program of everything at once", () =>
  agree(
    {
      x: { shape: [8, 6, 10, 10] },
      weight: { shape: [4, 6, 3, 3], value: (i) => scattered(i) / 10 },
      bias: { shape: [4] },
    },
    ({ x, weight, bias }) => {
      const y = ops.conv2d(x, weight, { padding: [1, 1] });
      const shifted = ops.silu(ops.add(y, ops.reshape(bias, [4, 1, 1])));
      const flat = ops.reshape(shifted, [8, 400]);
      const p = ops.softmax(ops.matmul(flat, flat, { transB: true }));
      return { y: ops.matmul(p, flat), total: ops.mean(ops.square(shifted)) };
    },
    { tolerance: 1e-4 },
  ));

test.run();
