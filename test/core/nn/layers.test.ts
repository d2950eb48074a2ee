// What layers add to the ops they are made of: names, shapes and starts of their parameters.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  BoundParameters,
  conv,
  frozen,
  groupNorm,
  initialise,
  layoutOf,
  linear,
  positionalFrequencies,
  resampled,
  type Scope,
  selfAttention,
  sinusoid,
  xavierUniform,
  zeros,
} from "../../../core/nn/mod.ts";
import { constantArray, input } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { compute } from "../../helpers/compute.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/nn/layers");

/** Parameters that a layer asks for: name, shape, start. */
const parametersOf = (layer: (scope: Scope) => unknown): string[] =>
  layoutOf((scope) => void layer(scope)).entries.map(({ name, shape, init }) =>
    [name, `[${shape}]`, ...Object.values(init)].join(" "),
  );

/** A layer with its starting weights, applied. */
async function apply(layer: (scope: Scope, x: Tensor) => Tensor, x: Tensor, data: number[]) {
  const layout = layoutOf((scope) => void layer(scope, x));
  const bound = new BoundParameters("w", layout);
  const y = layer(bound.scope, x);
  const states = Object.fromEntries(initialise(layout, 0).map((arena, i) => [`w.${i}`, arena]));
  const values = await compute({ y }, { x: Float32Array.from(data) }, states);
  return { shape: y.shape, y: [...values.y] };
}

test("linear: weight and bias within 1/√inputs; rows of any number of axes", () => {
  const x = input("x", [2, 3, 4]);
  assert.equal(
    linear(
      new BoundParameters(
        "w",
        layoutOf((s) => void linear(s, x, 5)),
      ).scope,
      x,
      5,
    ).shape,
    [2, 3, 5],
  );
  assert.equal(
    parametersOf((scope) => linear(scope, x, 5)),
    ["weight [5,4] uniform 0.5", "bias [5] uniform 0.5"],
  );
  assert.equal(
    parametersOf((scope) => linear(scope.at("out"), x, 5, { bias: false, init: zeros })),
    ["out.weight [5,4] constant 0"],
  );
});

test("conv: fan-in counts the kernel; H and W are kept by default", async () => {
  const x = input("x", [1, 4, 3, 3]);
  assert.equal(
    parametersOf((scope) => conv(scope, x, 2, { kernel: 2 })),
    ["weight [2,4,2,2] uniform 0.25", "bias [2] uniform 0.25"],
  );
  const { shape } = await apply((scope, y) => conv(scope, y, 2), x, new Array(36).fill(1));
  assert.equal(shape, [1, 2, 3, 3]);
});

test("groupNorm: starts as mean 0 and variance 1 of each group", async () => {
  const x = input("x", [1, 2, 1, 2]);
  const { y } = await apply((scope, t) => groupNorm(scope, t, 2), x, [1, 3, 10, 30]);
  for (const [i, value] of [-1, 1, -1, 1].entries()) assert.ok(Math.abs(y[i] - value) < 1e-5);
});

test("groupNorm: groups must divide the channels", () => {
  const error = thrown(() => layoutOf((s) => void groupNorm(s, input("x", [1, 6, 2, 2]), 4)));
  assert.is(error.code, "E_SHAPE");
  assert.match(error.message, /C is 6, not a multiple of 4 groups/);
});

test("selfAttention: EDM's parameter names; the identity while its projection is zero", async () => {
  const x = input("x", [1, 4, 2, 1]);
  assert.equal(
    parametersOf((scope) => selfAttention(scope, x, 2, 2)).map((line) => line.split(" ")[0]),
    ["norm2.weight", "norm2.bias", "qkv.weight", "qkv.bias", "proj.weight", "proj.bias"],
  );
  const data = [1, -2, 3, 5, 0.5, 0, 4, -1];
  const { y } = await apply((scope, t) => selfAttention(scope, t, 2, 2), x, data);
  assert.equal(y, data);
});

test("sinusoid: cosines, then sines", async () => {
  const c = input("x", [2]);
  const { y, shape } = await apply((_, t) => sinusoid(t, [1, 2]), c, [0, 0.5]);
  assert.equal(shape, [2, 4]);
  const expected = [1, 1, 0, 0, Math.cos(0.5), Math.cos(1), Math.sin(0.5), Math.sin(1)];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(y[i] - value) < 1e-6);
});

test("sinusoid: sines first, and frequencies that are a tensor", async () => {
  const c = input("x", [1]);
  const f = constantArray([1, 2], [2]);
  const { y } = await apply((_, t) => sinusoid(t, f, { first: "sin" }), c, [0.5]);
  const expected = [Math.sin(0.5), Math.sin(1), Math.cos(0.5), Math.cos(1)];
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(y[i] - value) < 1e-6);
});

test("resampled: NCSN++'s filter halves and doubles, and a constant image stays", async () => {
  const x = input("x", [1, 1, 4, 4]);
  const filter = [1, 3, 3, 1];
  const ones = new Array(16).fill(1);
  for (const [direction, size] of [
    ["up", 8],
    ["down", 2],
  ] as const) {
    const layer = (scope: Scope, t: Tensor) => resampled(scope, t, direction, { filter });
    const { shape, y } = await apply(layer, x, ones);
    assert.equal(shape, [1, 1, size, size]);
    // Zeros around the image show at its edge only.
    if (direction === "up") assert.ok(Math.abs(y[3 * 8 + 3] - 1) < 1e-6 && y[0] < 1);
    else assert.ok(Math.abs(y[0] - (7 / 8) ** 2) < 1e-6);
    assert.equal(
      layoutOf((s) => void layer(s, x)).derived?.map(({ name, shape: at }) => `${name} ${at}`),
      ["resample_filter 1,1,4,4"],
    );
  }
});

test("xavierUniform and frozen", () => {
  assert.equal(xavierUniform(4, 2, 0.5), { kind: "uniform", bound: 0.5 });
  assert.equal(frozen(zeros), { kind: "constant", value: 0, frozen: true });
});

test("positionalFrequencies: from 1 down towards 1/10000", () => {
  assert.equal(positionalFrequencies(2), [1, 0.01]);
  assert.is(positionalFrequencies(4).length, 4);
  assert.equal(positionalFrequencies(2, { endpoint: true }), [1, 1e-4]);
});

test.run();
