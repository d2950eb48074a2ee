/** Consistency between any level and a lower one, a share of it that grows over training: ECT, and TCM on top of it. */
import { perSample, precondition } from "../../../core/diffusion/mod.ts";
import type { Condition, Denoiser } from "../../../core/interfaces/mod.ts";
import {
  add,
  constant,
  div,
  greater,
  maximum,
  mul,
  reciprocal,
  reshape,
  sigmoid,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  where,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { eulerTo } from "./pathSteps.ts";

/** The lower level of each pair and how far below it is, both [B]. */
export interface Pair {
  readonly sigma: Tensor;
  readonly next: Tensor;
  /** σ − next, above 0. */
  readonly gap: Tensor;
}

/** Closest that two levels come. */
const CLOSEST = 1e-6;

/**
 * Pairs of levels: next = max(σ − (1 − ratio)(1 + 8/(1 + e^σ))·σ, floor); σ is moved up where it is not above that by 10⁻⁶. A ratio of 0
 * leads from most levels to the floor, one near 1 just below σ. sigma [B]; a ratio that is a tensor has one element.
 * Geng et al. 2024, ECT, arXiv:2406.14548; numbers as in FastGen.
 */
export function pairBelow(
  sigma: Tensor,
  { ratio, floor }: { readonly ratio: number | Tensor; readonly floor: number },
): Pair {
  const far = typeof ratio === "number" ? 1 - ratio : sub(1, ratio);
  const share = mul(add(mul(sigmoid(mul(sigma, -1)), 8), 1), far);
  const way = mul(sigma, share);
  const isAbove = greater(sub(sigma, way), floor);
  const next = where(isAbove, sub(sigma, way), constant(floor, "f32", sigma.shape));
  // Where σ itself is at the floor, it goes just above it.
  const gap = maximum(where(isAbove, way, sub(sigma, floor)), CLOSEST);
  return { sigma: maximum(sigma, add(next, CLOSEST)), next, gap };
}

/** How much a pair of levels counts. */
export const pairWeights = ["gap", "root-gap", "output", "sigma", "uniform"] as const;
export type PairWeight = (typeof pairWeights)[number];

/** 1/gap, 1/√gap, 1/c_out(σ)², 1/σ² or 1. → [B] */
export function pairWeight(weight: PairWeight, { sigma, gap }: Pair, sigmaData: number): Tensor {
  if (weight === "gap") return reciprocal(gap);
  if (weight === "root-gap") return reciprocal(sqrt(gap));
  if (weight === "sigma") return reciprocal(square(sigma));
  if (weight === "uniform") return constant(1, "f32", sigma.shape);
  return reciprocal(square(reshape(precondition(sigma, sigmaData, 1).cOut, sigma.shape)));
}

/** How far two samples are from each other. */
export interface PairDistance {
  /** c of √(d² + c²) − c, d the Euclidean norm over the sample; 0 leaves d, or d² where it is squared. */
  readonly huberC: number;
  readonly squared?: boolean;
}

/** √(d² + c²) − c = d²/(√(d² + c²) + c), which loses nothing where d is small. a, b [B, …] → [B]. */
export function pairDistance(a: Tensor, b: Tensor, { huberC: c, squared = false }: PairDistance): Tensor {
  const axes = a.shape.map((_, axis) => axis).slice(1);
  const far = sum(square(sub(a, b)), { axes });
  if (c > 0) return div(far, add(sqrt(add(far, c ** 2)), c));
  return squared ? far : sqrt(far);
}

/** Samples x in noise ε at both levels of a pair. */
export interface PairedSamples extends Pair {
  /** [B, …] */
  readonly x: Tensor;
  readonly eps: Tensor;
  readonly condition: Condition;
}

/** Who is held to whom. */
export interface PairRoles {
  readonly generator: Denoiser;
  /** What gives the sample at the lower level; it has no gradient. The generator itself in ECT. */
  readonly target: Denoiser;
  /** Leads from σ to the lower level by a step of Euler's; without it x itself does, as in consistency training. */
  readonly teacher?: Denoiser;
}

/** What the generator says at the upper level, and what it is held to; and the sample at the lower level. */
export interface PairSides {
  readonly said: Tensor;
  /** No gradient passes it. */
  readonly held: Tensor;
  readonly lower: Tensor;
}

/**
 * Both sides of the loss: the generator gives the same sample at both levels, and at level 0 the sample is x.
 *   y = x + σ·ε;   y_r = x + next·ε, or a step of the teacher from y;   said = D(y; σ);   held = sg D⁻(y_r; next)
 * The loss of a sample is w(σ, next)·d(said, held).
 */
export function pairSides(
  { x, eps, sigma, next, condition }: PairedSamples,
  { generator, target, teacher }: PairRoles,
): PairSides {
  const at = (level: Tensor) => perSample(level, x.shape.length);
  const y = add(x, mul(at(sigma), eps));
  const lower = stopGradient(
    teacher ? eulerTo(y, teacher.denoise(y, sigma, condition), sigma, next) : add(x, mul(at(next), eps)),
  );
  const held = target.denoise(lower, maximum(next, CLOSEST), condition);
  return {
    said: generator.denoise(y, sigma, condition),
    held: stopGradient(where(greater(at(next), 0), held, x)),
    lower,
  };
}

/**
 * The roles of truncated consistency: the generator at levels from `border` on, the frozen model of an earlier stage below, which
 * has no gradient. Lee et al. 2024, TCM, arXiv:2410.14895.
 */
export function truncatedPair(generator: Denoiser, earlier: Denoiser, border: number): PairRoles {
  const both: Denoiser = {
    denoise(x, sigma, condition) {
      const isAbove = greater(perSample(sigma, x.shape.length), Math.fround(border) * (1 - 2 ** -24));
      const [own, below] = [generator.denoise(x, sigma, condition), earlier.denoise(x, sigma, condition)];
      return where(isAbove, own, stopGradient(below));
    },
  };
  return { generator: both, target: both };
}
