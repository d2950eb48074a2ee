// Every elementwise op's WGSL against its own oracle: in whole vec4s, in odd sizes, and on the values where it turns.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { expressions } from "../../../backends/webgpu/elementwise/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { OpSpec, Tensor } from "../../../core/tensor/mod.ts";
import {
  checkKernel,
  closeTestBackends,
  floats,
  type HostTensor,
  integers,
  type Tolerance,
  tolerances,
} from "../../helpers/kernelHarness.ts";

const test = suite("backends/webgpu/expressions");
test.after(closeTestBackends);

interface Case {
  /** Range of each input; `attrs` are passed last. */
  readonly range?: readonly [number, number];
  readonly second?: readonly [number, number];
  readonly attrs?: object;
  readonly tolerance?: Tolerance;
  /** Values of the first input where the formula changes. */
  readonly turns?: readonly number[];
}

const { pointwise, exponential, exact } = tolerances;

const cases: Record<string, Case> = {
  broadcastTo: { attrs: { shape: [0] }, tolerance: exact },
  clamp: { attrs: { min: -0.5, max: 0.25 }, tolerance: exact, turns: [-0.5, 0.25, 0, -0] },
  cos: { range: [-7000, 7000], turns: [0, Math.PI / 4, Math.PI / 2, 1e-4, -100] },
  div: { second: [0.1, 9], tolerance: pointwise },
  equal: { range: [-2, 2], second: [-2, 2], tolerance: exact, turns: [0, 1, -1] },
  erf: { range: [-4, 4], turns: [0, 1, -1, 1e-7, 20, -20] },
  exp: { range: [-30, 10], tolerance: exponential, turns: [0, -100, 80] },
  floor: { range: [-9, 9], tolerance: exact, turns: [-1, 0, 1, 2.5, -2.5] },
  gelu: { range: [-5, 5], turns: [0, Math.SQRT2, -Math.SQRT2, 12, -12], tolerance: exponential },
  geluTanh: { range: [-5, 5], turns: [0, 30, -30], tolerance: exponential },
  log: { range: [1e-6, 4], turns: [1, 1 + 2 ** -22, 1 - 2 ** -23, 0.5, 2, 1e-30, 1e30] },
  log1p: { range: [-0.99, 4], turns: [0, 1e-7, -1e-7, -0.4, 0.4, 1e20] },
  pow: { range: [0.01, 9], second: [-3, 3], tolerance: exponential },
  quickGelu: { range: [-9, 9], tolerance: exponential },
  reciprocal: { range: [0.1, 9] },
  rsqrt: { range: [0.01, 9] },
  sigmoid: { range: [-20, 20], tolerance: exponential, turns: [0, 200, -200] },
  sign: { tolerance: exact, turns: [0, -0, 1e-30] },
  silu: { range: [-20, 20], tolerance: exponential, turns: [0, 200, -100] },
  sin: { range: [-7000, 7000], turns: [0, Math.PI, Math.PI / 4, 1e-4, 100] },
  softplus: { range: [-20, 20], tolerance: exponential, turns: [0, 1e-4, 200, -80] },
  sqrt: { range: [0, 9], turns: [0, 1] },
  tanh: { range: [-4, 4], turns: [0, 0.4, -0.4, 1e-6, 100, -100] },
  toFloat: { tolerance: exact },
  toInt: { range: [-99, 99], tolerance: exact, turns: [0.99, -0.99, 1, -1] },
};

type AnyOp = ((...args: unknown[]) => Tensor) & { readonly spec: OpSpec };
const elementwise = (Object.values(ops) as unknown[]).filter(
  (op): op is AnyOp => "spec" in (op as object) && (op as AnyOp).spec.kind === "elementwise",
);

test("every elementwise op of core/ops has a WGSL expression", () => {
  assert.ok(elementwise.length > 10);
  const names = elementwise.map(({ spec }) => spec.name);
  assert.equal(
    names.filter((name) => !(name in expressions)),
    [],
  );
});

for (const op of elementwise) {
  const { name } = op.spec;
  const arity = op.spec.signature.split("->")[0].split("],").length;
  const { range = [-2, 2], second, attrs, tolerance = pointwise, turns = [] } = cases[name] ?? {};
  test(`${name} agrees with its reference`, async () => {
    for (const size of [1, 3, 64, 257, 1028]) {
      const inputs: HostTensor[] = Array.from({ length: arity }, (_, i) =>
        floats([size], i + 1, ...(i === 0 ? range : (second ?? range))),
      );
      const first = inputs[0].data;
      turns.forEach((value, i) => {
        if (i < size) first[i] = value;
      });
      // Equal operands are the interesting case of comparisons.
      if (arity === 2 && name.match(/qual|less|greater|imum/)) inputs[1].data[0] = first[0];
      const given = name === "broadcastTo" ? { shape: [size] } : attrs;
      await checkKernel(name, (...x) => op(...x, given), inputs, tolerance);
    }
  });
}

test("ops on integers: arithmetic, order and conversion", async () => {
  const [a, b] = [integers([67], 1, -50, 50), integers([67], 2, -50, 50)];
  for (let i = 0; i < 67; i++) if (b.data[i] === 0) b.data[i] = 7;
  const all = (x: Tensor, y: Tensor) => [
    ops.add(x, y),
    ops.sub(x, y),
    ops.mul(x, y),
    ops.div(x, y),
    ops.neg(x),
    ops.abs(x),
    ops.maximum(x, y),
    ops.minimum(x, y),
    ops.equal(x, y),
    ops.less(x, y),
    ops.sign(x),
    ops.clamp(x, { min: -3, max: 9 }),
    ops.square(x),
    ops.toFloat(x),
    ops.floor(x),
  ];
  await checkKernel("integers", all, [a, b], exact);
});

test("NaN and infinities pass where JavaScript lets them pass", async () => {
  const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 3.4e38];
  const x: HostTensor = { shape: [8], data: Float32Array.from(special) };
  const y: HostTensor = { shape: [8], data: Float32Array.from([...special].reverse()) };
  const all = (a: Tensor, b: Tensor) => [
    ops.maximum(a, b),
    ops.minimum(a, b),
    ops.relu(a),
    ops.nanToNum(a),
    ops.abs(a),
    ops.clamp(a, { min: -2, max: 2 }),
    ops.where(ops.greater(b, 0), a, b),
    ops.neg(a),
  ];
  await checkKernel("special", all, [x, y], exact);
});

test("numbers in a graph arrive exactly: infinities, NaN, -0, tiny and long ones", async () => {
  const x = floats([5]);
  const numbers = [1 / 3, -1e-38, 3.4028234663852886e38, 16777217, 0.1, -0, Infinity, NaN, 1e-45];
  const all = (a: Tensor) => [
    ...numbers.map((n) => ops.where(ops.greater(a, 9), a, n)),
    ops.where(ops.greater(ops.toInt(a), 9), 0, -1e9),
    ops.maximum(ops.toInt(a), -2147483648),
  ];
  const found = await checkKernel("numbers", all, [x], exact);
  assert.ok(Object.is(found[5].actual[0], -0));
});

test("whole powers of negative numbers, and zero to any power", async () => {
  const a: HostTensor = { shape: [9], data: Float32Array.of(-2, -2, -3, 0, 0, 0, -8, 5, -1) };
  const b: HostTensor = { shape: [9], data: Float32Array.of(2, 3, -1, 2, 0, -1, 1 / 3, 0, 5) };
  await checkKernel("pow", (x, y) => ops.pow(x, y), [a, b], exponential);
});

test.run();
