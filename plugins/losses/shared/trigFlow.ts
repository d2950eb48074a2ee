/** Continuous-time consistency models (sCM) on the circle x̂ = cos θ·x + sin θ·z, z ~ N(0, σd²). */
import { perSample } from "../../../core/diffusion/mod.ts";
import { jvp } from "../../../core/graph/mod.ts";
import type { Condition, Denoiser } from "../../../core/interfaces/mod.ts";
import {
  add,
  div,
  exp,
  maximum,
  mean,
  mul,
  rsqrt,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
} from "../../../core/ops/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";

/** The network of the circle, F with dx̂/dθ = σd·F. xHat [B, …], sigma [B], σ = σd·tan θ → [B, …]. */
export type TrigNetwork = (xHat: Tensor, sigma: Tensor, condition: Condition) => Tensor;

/** cos θ and sin θ of a level, θ = arctan(σ/σd), [B, 1, …] of `rank` axes. */
export function angleOf(
  sigma: Tensor,
  sigmaData: number,
  rank: number,
): { readonly cos: Tensor; readonly sin: Tensor } {
  const s = perSample(sigma, rank);
  const inverse = rsqrt(add(square(s), sigmaData ** 2));
  return { cos: mul(inverse, sigmaData), sin: mul(s, inverse) };
}

/** F(x̂, θ) = (cos θ·x̂ − D(x̂/cos θ; σ))/(σd·sin θ): any denoiser as a network of the circle. */
export const trigNetwork =
  ({ denoise }: Denoiser, sigmaData: number): TrigNetwork =>
  (xHat, sigma, condition) => {
    const { cos, sin } = angleOf(sigma, sigmaData, xHat.shape.length);
    const clean = denoise(div(xHat, cos), sigma, condition);
    return div(sub(mul(cos, xHat), clean), mul(maximum(sin, 1e-6), sigmaData));
  };

/** A point on the circle, and how it moves. */
export interface CirclePoint {
  /** cos θ·x + sin θ·z, [B, …] */
  readonly xHat: Tensor;
  /** [B] */
  readonly sigma: Tensor;
  /** dx̂/dθ: cos θ·z − sin θ·x, or σd·F of a teacher. */
  readonly velocity: Tensor;
  readonly condition: Condition;
}

/**
 * F and J = cos θ·sin θ·dF/dθ along (velocity, 1), which is the derivative by ln σ since σ = σd·tan θ. J has no gradient.
 */
export function tangentByJvp(
  F: TrigNetwork,
  { xHat, sigma, velocity, condition }: CirclePoint,
  sigmaData: number,
): { readonly F: Tensor; readonly J: Tensor } {
  const { cos, sin } = angleOf(sigma, sigmaData, xHat.shape.length);
  const said = F(xHat, sigma, condition);
  const moving = mul(mul(cos, sin), velocity);
  return {
    F: said,
    J: stopGradient(
      jvp(
        [said],
        [
          [xHat, moving],
          [sigma, sigma],
        ],
      )[0],
    ),
  };
}

/** Two levels around a point, and the factor that makes their difference J: cos θ·sin θ/Δθ, or 1/Δ ln σ; [B] each. */
export interface Neighbours {
  readonly ahead: Tensor;
  readonly behind: Tensor;
  readonly rate: Tensor;
}

/**
 * The same from two calls, along the path between sample and noise, even where a teacher's velocity leads elsewhere. `path` gives x̂ at
 * a level.
 */
export function tangentByDifferences(
  F: TrigNetwork,
  { xHat, sigma, condition }: Omit<CirclePoint, "velocity">,
  path: (sigma: Tensor) => Tensor,
  { ahead, behind, rate }: Neighbours,
): { readonly F: Tensor; readonly J: Tensor } {
  const at = (level: Tensor) => F(path(level), level, condition);
  const J = mul(sub(at(ahead), at(behind)), perSample(rate, xHat.shape.length));
  return { F: F(xHat, sigma, condition), J: stopGradient(J) };
}

/** How the tangent becomes a loss. */
export interface ScmOptions {
  readonly sigmaData: number;
  /** r, factor on what the derivative brings, in [0, 1], while it is warmed up. */
  readonly warmth: number | Tensor;
  /** c in g/(‖g‖ + c). */
  readonly constant: number;
  /** Whether ‖g‖ is a mean over the elements instead of a sum. */
  readonly normPerElement: boolean;
  /** Whether the squares are divided by the size of a sample, beyond their mean. */
  readonly squaresPerElement: boolean;
  /** Whether the squares count by 1/σ. */
  readonly prior: boolean;
}

/**
 * The loss of sCM per sample, [B]:
 *   g = −cos²θ (σd·F⁻ − dx̂/dθ) − r (cos θ·sin θ·x̂ + σd·J);   g ← g/(‖g‖ + c)
 *   w/(e^λ·D) · mean (F − F⁻ − g)² + λ
 * with F⁻ = sg F and λ [B] the log-variance that the generator learns beside F. Gradient through F and λ.
 * Lu & Song 2024, arXiv:2410.11081, Algorithm 1; signs and divisors as in NVlabs/FastGen, sCM.py.
 */
export function scmLosses(
  { F, J }: { readonly F: Tensor; readonly J: Tensor },
  { xHat, sigma, velocity }: CirclePoint,
  logVariance: Tensor,
  { sigmaData, warmth, constant, normPerElement, squaresPerElement, prior }: ScmOptions,
): { readonly losses: Tensor; readonly squares: Tensor } {
  const rank = F.shape.length;
  const size = sizeOf(F.shape.slice(1));
  const axes = F.shape.map((_, axis) => axis).slice(1);
  const { cos, sin } = angleOf(sigma, sigmaData, rank);
  const held = stopGradient(F);
  const pulled = mul(square(cos), sub(velocity, mul(held, sigmaData)));
  const moved = mul(add(mul(mul(cos, sin), xHat), mul(J, sigmaData)), warmth);
  const g = sub(pulled, moved);
  const norm = sqrt(sum(square(g), { axes, keepDims: true }));
  const unit = stopGradient(div(g, add(mul(norm, normPerElement ? 1 / Math.sqrt(size) : 1), constant)));
  const squares = mean(square(sub(sub(F, held), unit)), { axes });
  const weight = div(mul(exp(mul(logVariance, -1)), squaresPerElement ? 1 / size : 1), prior ? sigma : 1);
  return { losses: add(mul(weight, squares), logVariance), squares };
}
