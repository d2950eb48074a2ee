/** Noise levels from sigmaMax down to sigmaMin, in the spacings of k-diffusion. `count` of them, no 0 at the end. */
import { failure } from "../errors.ts";
import { karrasSigmas } from "./sigmas.ts";

/** How noise levels of a sampler can lie between the highest and the lowest. */
export const sigmaSpacings = ["karras", "exponential", "polyexponential", "vp"] as const;
/** One of `sigmaSpacings`. */
export type SigmaSpacing = (typeof sigmaSpacings)[number];

/** Bounds and bends. */
export interface SpacingOptions {
  /** Lowest level, above 0; `vp` has its own. */
  readonly sigmaMin: number;
  /** Highest level; `vp` has its own. */
  readonly sigmaMax: number;
  /** Bend of `karras` (7) and `polyexponential` (1). */
  readonly rho?: number;
  /** Slope and start of `vp`'s β(t), and its last time. */
  readonly betaSlope?: number;
  readonly betaMin?: number;
  readonly timeMin?: number;
}

/**
 * With u from 0 to 1:
 *   karras          (σ_max^(1/ρ) + u (σ_min^(1/ρ) − σ_max^(1/ρ)))^ρ
 *   exponential     ln σ even
 *   polyexponential ln σ = ln σ_min + (1 − u)^ρ (ln σ_max − ln σ_min)
 *   vp              √(exp(β_d t²/2 + β_min t) − 1), t from 1 to timeMin (Song et al. 2021, arXiv:2011.13456)
 * @throws E_OPTION when there are fewer than 1 or sigmaMin is not below sigmaMax
 */
export function spacedSigmas(count: number, spacing: SigmaSpacing, options: SpacingOptions): number[] {
  if (!Number.isInteger(count) || count < 1)
    throw failure("E_OPTION", `Cannot space noise levels: steps is ${count}, should be 1 or more`);
  const at = (f: (u: number) => number) =>
    Array.from({ length: count }, (_, i) => f(count === 1 ? 0 : i / (count - 1)));
  if (spacing === "vp") {
    const { betaSlope = 19.9, betaMin = 0.1, timeMin = 1e-3 } = options;
    return at((u) => vpSigma(1 + u * (timeMin - 1), betaSlope, betaMin));
  }
  // Checks the bounds for all.
  const karras = karrasSigmas(count, options);
  if (spacing === "karras") return karras;
  const [low, high] = [Math.log(options.sigmaMin), Math.log(options.sigmaMax)];
  const rho = spacing === "exponential" ? 1 : (options.rho ?? 1);
  return at((u) => Math.exp(low + (1 - u) ** rho * (high - low)));
}

/** σ(t) = √(exp(β_d t²/2 + β_min t) − 1) of the continuous variance-preserving process, t in [0, 1]. */
export const vpSigma = (time: number, betaSlope = 19.9, betaMin = 0.1): number =>
  Math.sqrt(Math.expm1(0.5 * betaSlope * time ** 2 + betaMin * time));

/** t(σ) = (√(β_min² + 2 β_d ln(1 + σ²)) − β_min)/β_d, its inverse. */
export const vpTime = (sigma: number, betaSlope = 19.9, betaMin = 0.1): number =>
  (Math.sqrt(betaMin ** 2 + 2 * betaSlope * Math.log1p(sigma ** 2)) - betaMin) / betaSlope;

/** A step from σ to `next` taken as one down to a lower level and one up by fresh noise: down² + up² = next². */
export interface AncestralStep {
  readonly down: number;
  readonly up: number;
}

/** up = min(next, η·√(next² (σ² − next²)/σ²)); η 0 is a step without noise, 1 that of the reverse diffusion. */
export function ancestralStep(sigma: number, next: number, eta = 1): AncestralStep {
  const up = Math.min(next, eta * Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2));
  return { down: Math.sqrt(next ** 2 - up ** 2), up };
}
