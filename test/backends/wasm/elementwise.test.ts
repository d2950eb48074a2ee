import { suite } from "uvu";
import * as assert from "uvu/assert";
import { emitters } from "../../../backends/wasm/emit/emitters.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { OpSpec, Tensor } from "../../../core/tensor/tensor.ts";
import { agree, type Given } from "./compare.ts";
import { setFlags } from "./flags.ts";

const test = suite("backends/wasm/elementwise");

setFlags();

const specs = Object.values(ops)
  .map((op) => (op as { spec?: OpSpec }).spec)
  .filter((spec) => spec?.kind === "elementwise") as OpSpec[];

test("every elementwise op of core/ops has an emitter", () => {
  assert.ok(specs.length > 20);
  const missing = specs.map(({ name }) => name).filter((name) => !(name in emitters));
  assert.equal(missing, []);
});

/** Where functions turn, saturate, overflow or are undefined. */
const edges = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  2,
  -2,
  1e-7,
  -1e-7,
  1e-20,
  -1e-20,
  1e-40,
  -1e-40,
  3.5,
  -3.5,
  10,
  -10,
  20,
  -20,
  87,
  -87,
  88.7,
  -88.7,
  89,
  -89,
  103,
  -104,
  200,
  -200,
  1e5,
  -1e5,
  1e9,
  -1e9,
  3e38,
  -3e38,
  Infinity,
  -Infinity,
  Number.NaN,
];
const edge = (i: number) => edges[i % edges.length];
/** A dense sweep from -30 to 30, with the edges between. */
const sweep = (i: number) => (i % 5 ? Math.sin(i) * 30 : edge(i / 5));

const call = (name: string) => (ops as unknown as Record<string, (...args: unknown[]) => Tensor>)[name];

// The oracle computes in doubles, so where a float overflows or underflows on the way the results differ by design.
const cases: Record<string, { x?: (i: number) => number; tolerance?: number; scale?: number }> = {
  exp: { tolerance: 1e-6, scale: 1e-37 },
  log: { x: (i) => Math.abs(sweep(i)), tolerance: 5e-7, scale: 1e-2 },
  log1p: { tolerance: 5e-7, scale: 1e-30 },
  sin: { tolerance: 3e-7, scale: 0.1 },
  cos: { tolerance: 3e-7, scale: 0.1 },
  tanh: { tolerance: 5e-7, scale: 1e-30 },
  erf: { tolerance: 5e-7, scale: 1e-30 },
  sigmoid: { tolerance: 1e-6, scale: 1e-32 },
  silu: { tolerance: 1e-6, scale: 1e-30 },
  softplus: { tolerance: 1e-6, scale: 1e-37 },
  quickGelu: { tolerance: 4e-6, scale: 1e-30 },
  gelu: { tolerance: 1e-6, scale: 1 },
  geluTanh: { tolerance: 2e-6, scale: 1 },
  reciprocal: { tolerance: 3e-7, scale: 1e-30 },
  rsqrt: { x: (i) => Math.abs(sweep(i)), tolerance: 3e-7, scale: 0 },
};
const attrs: Record<string, object> = {
  broadcastTo: { shape: [977] },
  clamp: { min: -1.5, max: 2.5 },
};
const unary = specs.filter(({ signature }) => signature.split(",").length === 1);
for (const { name } of unary) {
  const { x = sweep, ...tolerance } = cases[name] ?? { tolerance: 2e-7 };
  const value = name === "toInt" ? (i: number) => Math.sin(i) * 1e6 : x;
  test(`${name} of edges and a sweep`, () =>
    agree({ x: { shape: [977], value } }, ({ x }) => call(name)(x, attrs[name]), tolerance));
}

const binary = specs.filter(({ signature }) => signature.split(",").length === 2);
for (const { name } of binary) {
  const tolerance = { tolerance: 3e-7, scale: 1e-30 };
  test(`${name} of edges with edges`, () =>
    agree(
      {
        a: { shape: [61, 1], value: edge },
        b: { shape: [1, 67], value: (i) => edge(i - 1000) },
      },
      ({ a, b }) => call(name)(a, b),
      tolerance,
    ));
}

test("where chooses, and what is not chosen does not show", () =>
  agree(
    {
      condition: { shape: [61, 1], value: (i) => (i % 3) - 1 },
      a: { shape: [61, 67], value: edge },
      b: { shape: [67], value: edge },
    },
    ({ condition, a, b }) => ops.where(condition, a, b),
  ));

const integer = (i: number) => Math.round(Math.sin(i * 7.1) * 50);
for (const name of ["add", "sub", "mul", "maximum", "minimum", "equal", "notEqual", "less", "greater", "div"])
  test(`${name} of integers`, () =>
    agree(
      {
        a: { shape: [13, 11], dtype: "i32", value: integer },
        b: { shape: [11], dtype: "i32", value: (i) => integer(i) || 7 },
      },
      ({ a, b }) => call(name)(a, b),
    ));
for (const name of ["neg", "abs", "square", "sign", "floor", "relu", "toFloat", "toInt", "clamp"])
  test(`${name} of integers`, () =>
    agree({ a: { shape: [77], dtype: "i32", value: integer } }, ({ a }) =>
      call(name)(a, name === "clamp" ? { min: -20, max: Infinity } : undefined),
    ));

const sizes = [1, 2, 3, 4, 5, 7, 17, 64, 1023, 1024, 1025, 4099];
for (const size of sizes)
  test(`a chain over ${size} elements`, () =>
    agree({ x: { shape: [size] }, s: { shape: [] } }, ({ x, s }) => {
      const y = ops.silu(ops.mul(ops.add(x, 1), s));
      return { y, z: ops.sub(ops.exp(y), ops.div(x, s)) };
    }));

const broadcasts: [string, number[], number[], number[]][] = [
  ["a bias", [33, 17], [17], []],
  ["a factor per row", [33, 17], [33, 1], [1]],
  ["channels", [3, 5, 7, 11], [5, 1, 1], [3, 1, 1, 1]],
  ["both ways", [1, 9], [13, 1], []],
  ["the middle of five axes", [2, 1, 3, 1, 5], [1, 4, 1, 6, 1], [2, 1, 1, 6, 1]],
  ["long rows", [3, 5000], [3, 1], [5000]],
  ["many short rows", [3001, 3], [3001, 1], [3]],
  ["rows of one", [2001, 1], [1], [2001, 1]],
];
for (const [what, a, b, c] of broadcasts)
  test(`broadcasting: ${what}`, () =>
    agree({ a: { shape: a }, b: { shape: b }, c: { shape: c } }, ({ a, b, c }) =>
      ops.add(ops.mul(a, ops.sigmoid(b)), ops.exp(c)),
    ));

test("tables broadcast like inputs", () =>
  agree({ x: { shape: [31, 12] } }, ({ x }) =>
    ops.mul(
      x,
      ops.constantArray(
        Array.from({ length: 12 }, (_, i) => i / 3),
        [12],
      ),
    ),
  ));

test("views at any offset are read and written unaligned", () =>
  agree({ flat: { shape: [103] } }, ({ flat }) => {
    const [a, b] = [1, 46].map((offset) => ops.view(flat, { offset, shape: [5, 9] }));
    return ops.pack([ops.add(a, b), ops.mul(a, ops.view(flat, { offset: 99, shape: [] }))], [3, 50], 99);
  }));

const large: Given = { shape: [300_001] };
test("large enough for every thread", () =>
  agree({ x: large, y: large }, ({ x, y }) => ops.add(ops.mul(x, 0.9), ops.mul(ops.square(y), 0.1))));

test.run();
