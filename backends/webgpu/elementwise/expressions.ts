import type { Attrs, DType } from "../../../core/tensor/tensor.ts";
import { literal } from "./literal.ts";

/** What an expression may know besides its arguments, which are names of WGSL values. */
export interface ExpressionContext {
  readonly attrs: Attrs;
  readonly dtype: DType;
  /** WGSL type of the result: f32 or i32, or a vec4 of it. */
  readonly type: string;
  /** The same number in every component, of the result's dtype or another. */
  number(value: number, dtype?: DType): string;
  /** Calls a scalar function of a wgsl/lib file, component by component. */
  call(library: string, name: string, ...args: string[]): string;
}

export type Expression = (args: readonly string[], context: ExpressionContext) => string;

const truth = (condition: string, { number }: ExpressionContext): string =>
  `select(${number(0)}, ${number(1)}, ${condition})`;

/**
 * WGSL of every elementwise op of core/ops; a test fails when one is missing. Built-ins are used where WGSL bounds their
 * error well enough; elsewhere a function of wgsl/lib. Comparisons never look for NaN: WGSL may assume there is none.
 */
export const expressions: Readonly<Record<string, Expression>> = {
  abs: ([x]) => `abs(${x})`,
  add: ([a, b]) => `${a} + ${b}`,
  broadcastTo: ([x]) => x,
  clamp: ([x], { attrs, dtype, number, call }) => {
    const [low, high] = [number(attrs.min as number), number(attrs.max as number)];
    return dtype === "i32" ? `min(max(${x}, ${low}), ${high})` : call("order", "limited", x, low, high);
  },
  cos: ([x], { call }) => call("trigonometry", "cos_precise", x),
  div: ([a, b]) => `${a} / ${b}`,
  equal: ([a, b], context) => truth(`${a} == ${b}`, context),
  erf: ([x], { call }) => call("errorFunction", "erf", x),
  exp: ([x]) => `exp(${x})`,
  floor: ([x], { dtype }) => (dtype === "i32" ? x : `floor(${x})`),
  gelu: ([x], { call }) => call("errorFunction", "gelu", x),
  geluTanh: ([x], { call }) => call("activation", "gelu_tanh", x),
  greater: ([a, b], context) => truth(`${a} > ${b}`, context),
  less: ([a, b], context) => truth(`${a} < ${b}`, context),
  log: ([x], { call }) => call("logarithm", "log_precise", x),
  log1p: ([x], { call }) => call("logarithm", "log1p_precise", x),
  maximum: ([a, b], { dtype, call }) => (dtype === "i32" ? `max(${a}, ${b})` : call("order", "larger", a, b)),
  minimum: ([a, b], { dtype, call }) => (dtype === "i32" ? `min(${a}, ${b})` : call("order", "smaller", a, b)),
  mul: ([a, b]) => `${a} * ${b}`,
  nanToNum: ([x], { call }) => call("order", "nan_to_num", x),
  neg: ([x]) => `-${x}`,
  notEqual: ([a, b], context) => truth(`${a} != ${b}`, context),
  pow: ([a, b], { call }) => call("power", "power", a, b),
  quickGelu: ([x], { call }) => call("activation", "quick_gelu", x),
  reciprocal: ([x], { number }) => `${number(1)} / ${x}`,
  // Not max(x, 0), which may turn NaN into 0.
  relu: ([x], { number }) => `select(${x}, ${number(0)}, ${x} < ${number(0)})`,
  rsqrt: ([x], { number }) => `${number(1)} / sqrt(${x})`,
  sigmoid: ([x], { call }) => call("activation", "sigmoid", x),
  sign: ([x]) => `sign(${x})`,
  silu: ([x], { call }) => call("activation", "silu", x),
  sin: ([x], { call }) => call("trigonometry", "sin_precise", x),
  softplus: ([x], { call }) => call("activation", "softplus", x),
  sqrt: ([x]) => `sqrt(${x})`,
  square: ([x]) => `${x} * ${x}`,
  sub: ([a, b]) => `${a} - ${b}`,
  tanh: ([x], { call }) => call("activation", "tanh_precise", x),
  toFloat: ([x], { type }) => `${type}(${x})`,
  toInt: ([x], { type }) => `${type}(${x})`,
  where: ([condition, a, b], { number }) => `select(${b}, ${a}, ${condition} != ${number(0, "f32")})`,
};

/** The context of an op in a kernel that handles `width` elements at a time; `use` hears of libraries. */
export function expressionContext(
  attrs: Attrs,
  dtype: DType,
  width: 1 | 4,
  use: (library: string) => void,
): ExpressionContext {
  const type = wgslType(dtype, width);
  return {
    attrs,
    dtype,
    type,
    number: (value, of = dtype) => `${wgslType(of, width)}(${literal(value, of)})`,
    call(library, name, ...args) {
      use(library);
      const at = (part: string) => `${name}(${args.map((arg) => arg + part).join(", ")})`;
      return width === 1 ? at("") : `${type}(${[".x", ".y", ".z", ".w"].map(at).join(", ")})`;
    },
  };
}

export const wgslType = (dtype: DType, width: 1 | 4): string =>
  width === 1 ? dtype : dtype === "f32" ? "vec4f" : "vec4i";
