import { abs, add, greater, less, maximum, mul, reshape, state, sub, where } from "../../ops/mod.ts";
import { isFinitePositive, SMALLEST_SCALE } from "../../optim/mod.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/**
 * The state, one number, that every update of a run looks at: 1 from the first update on that was left out for good, so that
 * those that were started before the host knew of it change nothing either.
 */
export const HALTED = "halted";

/** What becomes of the run when an update is not finite; see `train.nonFinite`. */
export type NonFinitePolicy = "stop" | "skip" | "rollback";

/** What an update has come to, in its program; all are scalars. */
export interface Verdict {
  /** 0 when all is finite; else 2^i is in it for the i-th term, and 2^(number of terms) for the norm of the gradient. */
  readonly bits: Tensor;
  /** 1 where the update is carried out, else 0: the states stay as they are. */
  readonly applies: Tensor;
  /** See `runningOf`. */
  readonly running?: Tensor;
  /** What becomes of `HALTED`. */
  readonly updates: readonly [Tensor, Tensor][];
}

/** What a verdict is about; scalars. */
export interface Judged {
  /** Terms of the objective, and their weights. One of weight 0 may be anything. */
  readonly terms: readonly { readonly value: Tensor; readonly weight: Tensor }[];
  /** Of the gradient, before clipping. */
  readonly norm: Tensor;
  /** Where it adapts: a gradient that overflows is then none of the update's fault, until the scale is as small as can be. */
  readonly dynamicScale?: Tensor;
}

/**
 * Whether an update is finite. Only the losses and the norm are looked at, which the program has anyway: no NaN or infinity gets
 * into a weight but through them.
 */
export function verdictOf({ terms, norm, dynamicScale }: Judged, policy: NonFinitePolicy): Verdict {
  const steady = isFinitePositive(norm);
  const sound = terms.map(({ value, weight }) => where(weight, isFinitePositive(abs(reshape(value, []))), 1));
  const isExcused = dynamicScale && greater(dynamicScale, SMALLEST_SCALE);
  const bits = [...sound, isExcused ? where(isExcused, 1, steady) : steady]
    .map((flag, place) => mul(sub(1, flag), 2 ** place))
    .reduce((a, b) => add(a, b));
  const finite = sound.reduce((a, b) => mul(a, b), steady);
  if (policy === "skip") return { bits, applies: finite, updates: [] };
  const halted = state(HALTED, []);
  const running = runningOf(policy)!;
  const updates: [Tensor, Tensor][] = [[halted, maximum(halted, greater(bits, 0.5))]];
  return { bits, applies: mul(finite, running), running, updates };
}

/** 1 while updates go on, 0 when one before was left out for good → scalar; absent where that stops nothing. */
export const runningOf = (policy: NonFinitePolicy): Tensor | undefined =>
  policy === "skip" ? undefined : less(state(HALTED, []), 0.5);

/**
 * What is not finite, from the bits of a verdict on these terms. Beyond 23 terms a float does not hold all bits, and some of
 * them may be taken for others.
 */
export function unsound(bits: number, terms: readonly string[]): { losses: string[]; gradient: boolean } {
  const has = (place: number) => Math.floor(bits / 2 ** place) % 2 === 1;
  return { losses: terms.filter((_, place) => has(place)), gradient: has(terms.length) };
}
