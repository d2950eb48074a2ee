import type { Condition } from "../interfaces/condition.ts";
import { add, concat, mul, split, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RawNetwork } from "./denoiser.ts";

/** What one of two batches, one after the other, is asked to show. What only one of them has is left out. */
export function joinConditions(a: Condition, b: Condition): Condition {
  const joined: Record<string, Tensor> = {};
  for (const name of ["label", "text", "pooled", "timeIds"] as const) {
    const [first, second] = [a[name], b[name]];
    if (first && second) joined[name] = concat([first, second], 0);
  }
  const { unconditional: c } = a;
  const { unconditional: d } = b;
  return c && d ? { ...joined, unconditional: joinConditions(c, d) } : joined;
}

/** The condition that asks for nothing: no label, `unconditional`'s text and pooled text or zeros, and the same sizes. */
export function withoutCondition({ text, pooled, timeIds, unconditional }: Condition): Condition {
  return {
    ...(text && { text: unconditional?.text ?? mul(text, 0) }),
    ...(pooled && { pooled: unconditional?.pooled ?? mul(pooled, 0) }),
    ...(timeIds && { timeIds: unconditional?.timeIds ?? timeIds }),
  };
}

/**
 * Classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598): F = F_∅ + w·(F_c − F_∅), in one call of twice the batch,
 * the unconditional half first. The rule is the same for every prediction and for D, which are affine in each other.
 * @param guidanceScale w; 1 and less is off and costs one call
 */
export function guided(F: RawNetwork, guidanceScale: number): RawNetwork {
  if (guidanceScale <= 1) return F;
  return (x, cNoise, condition) => {
    const empty = withoutCondition(condition);
    const twice = (t: Tensor) => concat([t, t], 0);
    const [without, asked] = condition.label
      ? [F(x, cNoise, empty), F(x, cNoise, condition)]
      : split(F(twice(x), twice(cNoise), joinConditions(empty, condition)), 2, 0);
    return add(without, mul(sub(asked, without), guidanceScale));
  };
}
