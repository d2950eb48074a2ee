import { failure } from "../errors.ts";
import { type Condition, type ConditionShape, emptyName } from "../interfaces/condition.ts";
import type { DataShape } from "../interfaces/dataset.ts";
import type { Network } from "../interfaces/network.ts";
import { add, concat, mul, split, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { RawNetwork } from "./denoiser.ts";

/** The conditions of two batches, one after the other. Entries that only one of them has are left out. */
export function joinConditions(a: Condition, b: Condition): Condition {
  const joined: Record<string, Tensor> = {};
  for (const [name, first] of Object.entries(a)) {
    const second = b[name];
    if (first && second) joined[name] = concat([first, second], 0);
  }
  return joined;
}

/** The condition that asks for nothing, as the data describe it; entries that they do not describe are left out. */
export function withoutCondition(condition: Condition, shape: ConditionShape): Condition {
  const empty: Record<string, Tensor | undefined> = {};
  for (const [name, { empty: kind }] of Object.entries(shape)) {
    const value = condition[name];
    if (!value) continue;
    if (kind === "stored") empty[name] = condition[emptyName(name)];
    if (kind === "zero") empty[name] = mul(value, 0);
    if (kind === "same") empty[name] = value;
  }
  return empty;
}

/**
 * Classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598): F = F_∅ + w·(F_c − F_∅). The rule is the same for every
 * prediction and for D, which are affine in each other. One call of twice the batch, the unconditional half first; two calls
 * where the unconditional half lacks an entry.
 * @param guidanceScale w; 1 and less is off and costs one call
 */
export function guided(F: RawNetwork, guidanceScale: number, shape: ConditionShape): RawNetwork {
  if (guidanceScale <= 1) return F;
  return (x, cNoise, condition) => {
    const empty = withoutCondition(condition, shape);
    const twice = (t: Tensor) => concat([t, t], 0);
    const isWhole = Object.keys(shape).every((name) => !condition[name] === !empty[name]);
    const [without, asked] = isWhole
      ? split(F(twice(x), twice(cNoise), joinConditions(empty, condition)), 2, 0)
      : [F(x, cNoise, empty), F(x, cNoise, condition)];
    return add(without, mul(sub(asked, without), guidanceScale));
  };
}

/**
 * Guidance needs a prediction without a condition.
 * @param asked beginning of the error: who asks for which guidance
 * @param off setting that does without it
 * @throws E_OPTION where data or network give none
 */
export function checkGuidable(asked: string, { condition }: DataShape, network: Network, off: string): void {
  const refuse = (why: string, fix: string) =>
    failure("E_OPTION", `${asked}, and ${why}`, { fix: `${fix}, or set ${off}` });
  const entries = Object.entries(condition);
  if (entries.length === 0)
    throw refuse(
      "the data have neither texts nor classes, there should be a condition to go beyond",
      "use data with texts or classes",
    );
  const unknown = entries.find(([, { empty }]) => empty === undefined);
  if (unknown)
    throw refuse(
      `the data have no ${unknown[0]} that stands for none, there should be one to lead away from`,
      `add the tensor unconditional.${unknown[0]} to the data`,
    );
  if (entries.some(([, { empty }]) => empty === "absent") && !network.knowsNoClass)
    throw refuse(
      "the network has never seen a sample without its class, it should be trained with labelDropout",
      "set network.labelDropout to what the teacher was trained with",
    );
}
