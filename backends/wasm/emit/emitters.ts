import { failure } from "../../../core/errors.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { Body, Value } from "./body.ts";
import * as maths from "./maths.ts";
import type { Opcode } from "./opcodes.ts";

/** Emits an elementwise op on four elements. */
export type Emitter = (b: Body, node: Tensor, inputs: readonly Value[]) => Value;

/** A rule for floats; the op has none for integers. */
const floats =
  (rule: (b: Body, ...inputs: Value[]) => Value): Emitter =>
  (b, node, inputs) => {
    if (node.inputs[0].dtype !== "f32")
      throw failure("E_DTYPE", `Cannot apply ${node.op.name} to ${node.inputs[0].dtype}: expected f32`);
    return rule(b, ...inputs);
  };

/** One rule for floats, another for integers. */
const typed =
  (
    float: (b: Body, inputs: readonly Value[], node: Tensor) => Value,
    integer: (b: Body, inputs: readonly Value[], node: Tensor) => Value,
  ): Emitter =>
  (b, node, inputs) =>
    (node.inputs[0].dtype === "f32" ? float : integer)(b, inputs, node);

/** One instruction for floats, another for integers. */
const either = (float: Opcode, integer: Opcode): Emitter =>
  typed(
    (b, inputs) => b.op(float, inputs),
    (b, inputs) => b.op(integer, inputs),
  );

/** A comparison: 1 where it holds, else 0. */
const comparison = (float: Opcode, integer: Opcode): Emitter =>
  typed(
    (b, inputs) => b.op("v128.and", [b.op(float, inputs), b.f32(1)]),
    (b, inputs) => b.op("v128.and", [b.op(integer, inputs), b.f32(1)]),
  );

const identity: Emitter = (_, __, [x]) => x;

/** Every elementwise op of core/ops, by name. A test says when one is missing. */
export const emitters: Readonly<Record<string, Emitter>> = {
  // arithmetic
  add: either("f32x4.add", "i32x4.add"),
  sub: either("f32x4.sub", "i32x4.sub"),
  mul: either("f32x4.mul", "i32x4.mul"),
  div: typed(
    (b, inputs) => b.op("f32x4.div", inputs),
    (b, [a, d]) => quotient(b, a, d),
  ),
  neg: either("f32x4.neg", "i32x4.neg"),
  abs: either("f32x4.abs", "i32x4.abs"),
  square: typed(
    (b, [x]) => b.mul(x, x),
    (b, [x]) => b.op("i32x4.mul", [x, x]),
  ),
  reciprocal: floats((b, x) => b.div(b.f32(1), x)),
  sqrt: floats((b, x) => b.op("f32x4.sqrt", [x])),
  rsqrt: floats((b, x) => b.div(b.f32(1), b.op("f32x4.sqrt", [x]))),
  pow: floats((b, a, e) => b.laneByLane("pow", [a, e], b.i32(-1), a)),

  // rounding, bounds, choice. pmin and pmax keep a NaN in their first operand
  floor: typed(
    (b, inputs) => b.op("f32x4.floor", inputs),
    (_, [x]) => x,
  ),
  sign: typed(
    (b, [x]) => {
      const up = b.op("v128.and", [b.op("f32x4.gt", [x, b.f32(0)]), b.f32(1)]);
      const down = b.op("v128.and", [b.op("f32x4.lt", [x, b.f32(0)]), b.f32(1)]);
      return b.op("v128.or", [b.sub(up, down), b.op("f32x4.ne", [x, x])]);
    },
    (b, [x]) => b.op("i32x4.max_s", [b.op("i32x4.min_s", [x, b.i32(1)]), b.i32(-1)]),
  ),
  clamp: typed(
    (b, [x], { attrs: { min, max } }) =>
      b.op("f32x4.pmin", [b.op("f32x4.pmax", [x, b.f32(min as number)]), b.f32(max as number)]),
    (b, [x], { attrs: { min, max } }) => {
      const lowest = b.i32(Math.max(min as number, -(2 ** 31)));
      const highest = b.i32(Math.min(max as number, 2 ** 31 - 1));
      return b.op("i32x4.min_s", [b.op("i32x4.max_s", [x, lowest]), highest]);
    },
  ),
  maximum: either("f32x4.max", "i32x4.max_s"),
  minimum: either("f32x4.min", "i32x4.min_s"),
  relu: typed(
    (b, [x]) => b.op("f32x4.pmax", [x, b.f32(0)]),
    (b, [x]) => b.op("i32x4.max_s", [x, b.i32(0)]),
  ),
  nanToNum: floats((b, x) => {
    const number = b.op("v128.and", [x, b.op("f32x4.eq", [x, x])]);
    const largest = 3.4028234663852886e38;
    return b.op("f32x4.pmin", [b.op("f32x4.pmax", [number, b.f32(-largest)]), b.f32(largest)]);
  }),
  equal: comparison("f32x4.eq", "i32x4.eq"),
  notEqual: comparison("f32x4.ne", "i32x4.ne"),
  less: comparison("f32x4.lt", "i32x4.lt_s"),
  greater: comparison("f32x4.gt", "i32x4.gt_s"),
  where: typed(
    (b, [condition, yes, no]) => b.select(b.op("f32x4.ne", [condition, b.f32(0)]), yes, no),
    (b, [condition, yes, no]) => b.select(b.op("i32x4.ne", [condition, b.i32(0)]), yes, no),
  ),
  toFloat: typed(
    (_, [x]) => x,
    (b, [x]) => b.op("f32x4.convert_i32x4_s", [x]),
  ),
  toInt: typed(
    (b, [x]) => b.op("i32x4.trunc_sat_f32x4_s", [x]),
    (_, [x]) => x,
  ),
  broadcastTo: identity,

  // elementary functions
  exp: floats(maths.exp),
  log: floats(maths.log),
  log1p: floats(maths.log1p),
  sin: floats((b, x) => maths.sine(b, x, "sin")),
  cos: floats((b, x) => maths.sine(b, x, "cos")),
  tanh: floats(maths.tanh),
  erf: floats(maths.erf),
  softplus: floats(maths.softplus),

  // activations
  sigmoid: floats(maths.sigmoid),
  silu: floats((b, x) => b.div(x, maths.onePlusExpOfMinus(b, x))),
  quickGelu: floats((b, x) => b.div(x, maths.onePlusExpOfMinus(b, b.mul(x, b.f32(1.702))))),
  gelu: floats((b, x) => {
    const doubled = b.add(maths.erf(b, b.mul(x, b.f32(Math.SQRT1_2))), b.f32(1));
    return b.mul(b.mul(x, b.f32(0.5)), doubled);
  }),
  // ½ (1 + tanh u) = sigmoid(2u), without the cancellation
  geluTanh: floats((b, x) => {
    const cubic = b.madd(b.mul(x, x), b.mul(x, b.f32(0.044715)), x);
    const u = b.mul(cubic, b.f32(2 * Math.sqrt(2 / Math.PI)));
    return b.div(x, maths.onePlusExpOfMinus(b, u));
  }),
};

/** Integer division towards zero, through doubles, which hold every i32; 0 where the divisor is 0. */
function quotient(b: Body, a: Value, d: Value): Value {
  const upper = [8, 9, 10, 11, 12, 13, 14, 15, 0, 0, 0, 0, 0, 0, 0, 0];
  const high = (x: Value) => b.op("i8x16.shuffle", [x, x], upper);
  const half = (x: Value, y: Value) => {
    const wide = [x, y].map((each) => b.op("f64x2.convert_low_i32x4_s", [each]));
    return b.op("i32x4.trunc_sat_f64x2_s_zero", [b.op("f64x2.div", wide)]);
  };
  const joined = b.op(
    "i8x16.shuffle",
    [half(a, d), half(high(a), high(d))],
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
  );
  return b.op("v128.andnot", [joined, b.op("i32x4.eq", [d, b.i32(0)])]);
}
