/** Density ratios real to generated, from a discriminator, and their means by noise level. */
import { failure } from "../../../core/errors.ts";
import type { Condition, LossContext, Noisy } from "../../../core/interfaces/mod.ts";
import {
  add,
  clamp,
  div,
  equal,
  exp,
  floor,
  greater,
  iota,
  mean,
  mul,
  reshape,
  sub,
  sum,
  where,
} from "../../../core/ops/mod.ts";
import { number, type OptionsOf } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { judgementOptions, logits } from "./judgement.ts";

/** The role that remembers mean ratios, and the numbers of the stage that say how many and for how long. */
export const RATIO_BINS = "ratio-bins";
export const RATIO_MEMORY = "ratio-memory";

/** The role `ratio-bins`: a running mean ratio for each bin of noise levels, [bins]. */
export interface RatioBins {
  readonly bins: Tensor;
}

/** Options of the ratio. */
export const ratioOptions = {
  ratioMin: number({ default: 0.1, above: 0, about: "smallest density ratio" }),
  ratioMax: number({ default: 20, above: 0, about: "largest density ratio" }),
  features: judgementOptions.features,
};

/** Ratios of a turn's noisy samples by its discriminator, [B]. */
export const ratioOf = (
  { ratioMin, ratioMax, features }: OptionsOf<typeof ratioOptions>,
  context: Pick<LossContext, "teacher" | "critic">,
  noisy: Noisy,
  condition: Condition,
): Tensor => densityRatio(logits({ features, objective: "softplus" }, context, noisy, condition), ratioMin, ratioMax);

/** @throws E_OPTION when the smallest ratio is not below the largest */
export function checkRatio(owner: string, { ratioMin, ratioMax }: OptionsOf<typeof ratioOptions>): void {
  if (ratioMin >= ratioMax)
    throw failure(
      "E_OPTION",
      `Cannot configure ${owner}: ratioMin is ${ratioMin} and ratioMax ${ratioMax}, ratioMin should be the lower`,
    );
}

/**
 * How many bins a stage has, 0 for none, and the share that they keep.
 * @throws E_CONFIG for a stage that does not say so
 */
export function binsOf(
  owner: string,
  { numbers }: Pick<LossContext["stage"], "numbers">,
): { count: number; memory: number } {
  const [count, memory] = [numbers?.[RATIO_BINS], numbers?.[RATIO_MEMORY]];
  if (count === undefined || memory === undefined)
    throw failure("E_CONFIG", `Cannot use loss ${owner}: the method has no bins of density ratios`, {
      fix: "set method.use=f-distill",
    });
  return { count, memory };
}

/**
 * Density ratio that a discriminator's logits stand for: ρ = clamp(exp(clamp(l, −10, 10)), low, high), l the mean of the
 * heads. logits [B, heads] → [B].
 */
export const densityRatio = (logits: Tensor, low: number, high: number): Tensor =>
  clamp(exp(clamp(mean(logits, { axes: [1] }), { min: -10, max: 10 })), { min: low, max: high });

/** A small number that keeps empty bins from dividing by 0, as in FastGen. */
const TINY = 1e-6;

/** The noise levels that bins are laid over. */
export interface BinRange {
  readonly sigmaMin: number;
  readonly sigmaMax: number;
}

/** What a batch says of the bins. */
export interface Binned {
  /** 1 where a sample is in a bin, else 0; [B, bins]. */
  readonly member: Tensor;
  /** Mean ratio of the samples in each bin; 0 in an empty one. [bins] */
  readonly means: Tensor;
  /** 1 for bins with a sample, else 0; [bins]. */
  readonly hit: Tensor;
}

/** Sorts ratios ρ [B] at sigma [B] into `count` bins of equal width in σ; what is outside goes to the ends. */
export function binned(ratio: Tensor, sigma: Tensor, count: number, { sigmaMin, sigmaMax }: BinRange): Binned {
  const [B] = ratio.shape;
  const width = (sigmaMax - sigmaMin) / count;
  const index = clamp(floor(div(sub(sigma, sigmaMin), width)), { min: 0, max: count - 1 });
  const member = where(equal(reshape(index, [B, 1]), iota(count, "f32")), 1, 0);
  const samples = sum(member, { axes: [0] });
  const total = sum(mul(member, reshape(ratio, [B, 1])), { axes: [0] });
  return { member, means: div(total, add(samples, TINY)), hit: where(greater(samples, 0), 1, 0) };
}

/** Bins after a batch: b ← m·b + (1 − m)·mean where a sample is in them. bins [bins] → [bins]. */
export const nextBins = (bins: Tensor, { means, hit }: Binned, memory: number): Tensor =>
  where(hit, add(mul(bins, memory), mul(means, 1 - memory)), bins);

/** Ratios divided by those of their bins, so that a level whose discriminator is biased counts no more than others. [B] */
export const evened = (ratio: Tensor, { member }: Binned, bins: Tensor): Tensor =>
  div(ratio, add(sum(mul(member, reshape(bins, [1, -1])), { axes: [1] }), TINY));
