import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Dense, type Matrix, matrixAt, openDense, partOf, transposed } from "../../../core/linalg/mod.ts";
import { PortableDense } from "../../../core/linalg/portableDense.ts";
import { uniform } from "../../helpers/uniform.ts";

const test = suite("core/linalg/dense");

const SIZE = 400_000;
const wasm = await openDense(SIZE);

/** The same work on both, from the same numbers: [elements of wasm, elements of plain TypeScript], after the work. */
function both(work: (dense: Dense) => void): [Float64Array, Float64Array] {
  const draw = uniform(7);
  const numbers = Float64Array.from({ length: SIZE }, () => 2 * draw() - 1);
  const portable = new PortableDense(SIZE);
  for (const dense of [wasm, portable]) {
    dense.data.set(numbers);
    work(dense);
  }
  return [wasm.data, portable.data];
}

/** Compares bits, and names the first that differs. */
function assertSame([found, expected]: [Float64Array, Float64Array], counts = (_: number) => true): void {
  for (let i = 0; i < SIZE; i++)
    if (!Object.is(found[i], expected[i]) && counts(i)) assert.unreachable(`${i}: ${found[i]}, ${expected[i]}`);
}

test("the engine under test runs the kernels", () => assert.not.instance(wasm, PortableDense));

const shapes = [
  [1, 1, 1],
  [4, 4, 4],
  [5, 3, 7],
  [13, 1, 300],
  [67, 131, 64],
  [3, 520, 257],
  [130, 90, 513],
];
for (const [m, n, depth] of shapes)
  test(`multiply [${m}, ${depth}] by [${depth}, ${n}]: bits of plain sums, near those of higher precision`, () => {
    const c = matrixAt(0, m, n);
    const wide = (at: number, rows: number, columns: number): Matrix =>
      partOf(matrixAt(at, rows, columns + 3), 0, 1, { columns });
    const a = wide(100_000, m, depth);
    const b = wide(180_000, depth, n);
    const turned = { a: transposed(wide(100_000, depth, m)), b: transposed(wide(180_000, n, depth)) };
    assertSame(both((dense) => dense.multiply(c, a, b)));
    assertSame(both((dense) => dense.multiply(c, turned.a, turned.b, { subtract: true })));
    assertSame(
      both((dense) => dense.multiply(partOf(c, 0, 0, { columns: Math.min(m, n) }), a, b, { lower: true })),
      (i) => i >= m * n || i % n <= Math.floor(i / n),
    );
    const [before] = both(() => {}).map((data) => data.slice());
    const [after] = both((dense) => dense.multiply(c, a, b));
    const [i, j] = [m - 1, n - 1];
    let expected = before[i * n + j];
    for (let k = 0; k < depth; k++) expected += before[a.at + i * a.rowStep + k] * before[b.at + k * b.rowStep + j];
    assert.ok(Math.abs(after[i * n + j] - expected) < 1e-14 * depth);
  });

for (const [rows, columns] of [
  [1, 1],
  [4, 8],
  [7, 5],
  [33, 2],
  [2, 101],
  [130, 67],
])
  test(`products of [${rows}, ${columns}] and a vector: the same bits`, () => {
    const a = partOf(matrixAt(1000, rows + 1, columns + 2), 1, 2);
    assertSame(both((dense) => dense.timesColumn(a, 501, 0)));
    assertSame(both((dense) => dense.rowTimes(501, a, 3)));
    const [[sum]] = both((dense) => dense.timesColumn(a, 501, 0));
    const [before] = both(() => {});
    let expected = 0;
    for (let j = 0; j < columns; j++) expected += before[a.at + j] * before[501 + j];
    assert.ok(Math.abs(sum - expected) < 1e-13);
  });

test("nothing to sum: zeros, and a product leaves what there is", () => {
  const none = matrixAt(1000, 0, 5);
  const [data] = both((dense) => {
    dense.rowTimes(0, none, 10);
    dense.timesColumn(matrixAt(1000, 5, 0), 0, 20);
  });
  assert.equal([...data.subarray(10, 15), ...data.subarray(20, 25)], new Array(10).fill(0));
  assertSame(both((dense) => dense.multiply(matrixAt(0, 5, 5), transposed(none), none)));
});

test("plain TypeScript stands in where nothing may be compiled", async () => {
  const { compile, validate } = WebAssembly;
  const refuse = () => Promise.reject(new WebAssembly.CompileError("blocked by a policy"));
  try {
    WebAssembly.compile = refuse;
    assert.instance(await openDense(10), PortableDense);
    WebAssembly.validate = () => false;
    assert.instance(await openDense(10), PortableDense);
  } finally {
    Object.assign(WebAssembly, { compile, validate });
  }
});

test.run();
