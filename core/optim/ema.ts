import { add } from "../ops/add.ts";
import { mul } from "../ops/mul.ts";
import { sub } from "../ops/sub.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * average ← parameter + β · (average − parameter) = β · average + (1 − β) · parameter. β is a scalar tensor, so that a
 * replayed program can change it.
 */
export const ema = (average: Tensor, parameter: Tensor, beta: Tensor | number): Tensor =>
  add(parameter, mul(sub(average, parameter), beta));

/**
 * EDM's β = ½^(batch / max(h, 1e-8)): the weight of a parameter halves in h = `emaHalfLife` images. With a ramp-up h is
 * at most `rampUp` times the images seen before, so that the first parameters are forgotten soon.
 * @param update number of the update, 0, 1, …
 * @param batch images per update
 */
export function halfLifeBeta(
  update: number,
  batch: number,
  {
    emaHalfLife,
    rampUp,
  }: {
    /** In images, above 0. */
    readonly emaHalfLife: number;
    /** Commonly 0.05; no ramp-up when absent. */
    readonly rampUp?: number;
  },
): number {
  const h = rampUp === undefined ? emaHalfLife : Math.min(emaHalfLife, update * batch * rampUp);
  return 0.5 ** (batch / Math.max(h, 1e-8));
}

/**
 * Power-function average of EDM2 at update number `update` = 0, 1, …: β = (1 − 1/t)^(γ + 1) with t = update + 1; the
 * first update copies the parameters. Karras et al. 2023, arXiv:2312.02696.
 */
export const powerBeta = (update: number, gamma: number): number => (1 - 1 / (update + 1)) ** (gamma + 1);

/**
 * γ of a power-function average whose profile has the relative width `std`, in (0, 0.2887): the largest real root of
 * γ³ + 7γ² + (16 − std⁻²) γ + (12 − std⁻²).
 */
export function powerGamma(std: number): number {
  const s = std ** -2;
  const f = (g: number) => ((g + 7) * g + (16 - s)) * g + (12 - s);
  const slope = (g: number) => (3 * g + 14) * g + (16 - s);
  // Right of the largest root f is positive and convex, so Newton's method comes down to it without overshooting.
  let gamma = 1 / std + 1;
  for (let i = 0; i < 100; i++) {
    const next = gamma - f(gamma) / slope(gamma);
    if (Math.abs(next - gamma) <= 1e-15 * Math.abs(gamma)) return next;
    gamma = next;
  }
  return gamma;
}

/**
 * k-diffusion's warm-up: β = 1 − (1 + t/inverseGamma)^−power, kept within min and max, with t updates since `startAt`;
 * 0 before.
 */
export function warmUpBeta(
  update: number,
  {
    inverseGamma = 1,
    power = 1,
    min = 0,
    max = 1,
    startAt = 0,
  }: {
    readonly inverseGamma?: number;
    readonly power?: number;
    readonly min?: number;
    readonly max?: number;
    readonly startAt?: number;
  } = {},
): number {
  const t = Math.max(0, update - startAt);
  return Math.max(min, Math.min(max, 1 - (1 + t / inverseGamma) ** -power));
}
