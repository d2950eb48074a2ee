import { failure } from "../errors.ts";
import { add, div, mul, neg, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * What a network predicts of x_t = a·x0 + b·ε, as a combination of x0 and ε:
 * `epsilon` ε; `sample` x0; `velocity` a·ε − b·x0 (Salimans & Ho 2022, arXiv:2202.00512); `flow` ε − x0 (rectified flow,
 * Liu et al. 2022, arXiv:2209.03003).
 */
export const predictionKinds = ["epsilon", "sample", "velocity", "flow"] as const;
/** One of `predictionKinds`. */
export type PredictionKind = (typeof predictionKinds)[number];

/** A number, or a tensor that broadcasts over the samples. */
type Value = number | Tensor;

/** Factors of a prediction and of x_t. */
export interface Conversion<V extends Value = number> {
  readonly ofPrediction: V;
  readonly ofSample: V;
}

const isNumber = (value: Value): value is number => typeof value === "number";
const times = (p: Value, q: Value): Value => {
  if (p === 0 || q === 0) return 0;
  if (p === 1) return q;
  if (q === 1) return p;
  return isNumber(p) && isNumber(q) ? p * q : mul(p, q);
};
const minus = (p: Value, q: Value): Value => {
  if (isNumber(p) && isNumber(q)) return p - q;
  if (q === 0) return p;
  return p === 0 ? neg(q) : sub(p, q);
};
const over = (p: Value, q: Value): Value => (isNumber(p) && isNumber(q) ? p / q : div(p, q));

/** Factors of x0 and of ε in what is predicted. */
const rows: Record<PredictionKind, (a: Value, b: Value) => readonly [Value, Value]> = {
  epsilon: () => [0, 1],
  sample: () => [1, 0],
  velocity: (a, b) => [minus(0, b), a],
  flow: () => [-1, 1],
};

/**
 * The two factors that make one prediction of another: to = ofPrediction·from + ofSample·x_t. With k = (k₁, k₂) the row of
 * `from`, t that of `to`: determinant d = k₁·b − k₂·a, factors (t₁·b − t₂·a)/d and (k₁·t₂ − k₂·t₁)/d.
 * @throws E_OPTION when x_t and `from` do not tell x0 and ε apart, such as ε at a = 0
 */
export function predictionConversion(
  from: PredictionKind,
  to: PredictionKind,
  mixing: { readonly signal: number; readonly noise: number },
): Conversion {
  const { determinant, ...factors } = solve(from, to, mixing.signal, mixing.noise);
  if (determinant === 0)
    throw failure(
      "E_OPTION",
      `Cannot convert ${from} to ${to}: x_t is ${mixing.signal}·x0 + ${mixing.noise}·ε, which leaves x0 or ε unknown`,
    );
  return factors as Conversion;
}

/**
 * A prediction made another, on the device. prediction, xt [B, …]; signal and noise: numbers, or tensors that broadcast.
 * Where x_t does not tell x0 and ε apart the result is infinite.
 */
export function convertPrediction(
  prediction: Tensor,
  xt: Tensor,
  {
    from,
    to,
    signal,
    noise,
  }: {
    readonly from: PredictionKind;
    readonly to: PredictionKind;
    readonly signal: Value;
    readonly noise: Value;
  },
): Tensor {
  if (from === to) return prediction;
  const { ofPrediction, ofSample } = solve(from, to, signal, noise);
  const scaled = times(ofPrediction, prediction);
  const kept = times(ofSample, xt);
  return isNumber(kept) ? (scaled as Tensor) : add(scaled, kept);
}

function solve(from: PredictionKind, to: PredictionKind, a: Value, b: Value) {
  const [k1, k2] = rows[from](a, b);
  const [t1, t2] = rows[to](a, b);
  const determinant = minus(times(k1, b), times(k2, a));
  return {
    determinant,
    ofPrediction: over(minus(times(t1, b), times(t2, a)), determinant),
    ofSample: over(minus(times(k1, t2), times(k2, t1)), determinant),
  };
}
