import { addNoise, karrasSigmas, type NoiseSource, perSample } from "../../../core/diffusion/mod.ts";
import { failure } from "../../../core/errors.ts";
import type { Denoiser, LossContext } from "../../../core/interfaces/mod.ts";
import {
  add,
  constantArray,
  div,
  equal,
  mul,
  reshape,
  stopGradient,
  sub,
  takeRows,
  where,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { DistillationOptions, NoisedSamples } from "./distillation.ts";
import { eulerTo } from "./pathSteps.ts";

/**
 * Progressive distillation: one step of the generator leads where two of the teacher do.
 *   x_t = x + σ·ε;   x_m, x_n = Euler's steps of the teacher from σ to `middle` to `next`
 *   x̃ = (x_n − (next/σ)·x_t)/(1 − next/σ), from which a single step reaches x_n;   weight · d(D(x_t; σ), sg x̃)
 * Euler's step in σ is DDIM's in any coordinates, so levels may be a Karras grid or those of a cosine schedule. σ > middle >
 * next [B]; next may be 0; then x̃ is the prediction of the teacher's second step, by `teacher.final` when given.
 * → a loss per sample, [B]. Gradient to the generator alone. Salimans & Ho 2022, arXiv:2202.00512, Algorithm 2.
 */
export function progressiveLosses(
  { x, eps, sigma, middle, next, condition }: NoisedSamples & { readonly middle: Tensor; readonly next: Tensor },
  { generator, teacher, final }: { generator: Denoiser; teacher: Denoiser; final?: Denoiser },
  { distance, weight }: DistillationOptions,
): Tensor {
  const rank = x.shape.length;
  const xt = addNoise(x, sigma, eps);
  const said = generator.denoise(xt, sigma, condition);
  const xm = eulerTo(xt, teacher.denoise(xt, sigma, condition), sigma, middle);
  const xn = eulerTo(xm, teacher.denoise(xm, middle, condition), middle, next);
  const kept = perSample(div(next, sigma), rank);
  const across = div(sub(xn, mul(kept, xt)), sub(1, kept));
  const held = final ? where(equal(perSample(next, rank), 0), final.denoise(xm, middle, condition), across) : across;
  const far = distance(said, stopGradient(held));
  return weight ? mul(far, weight) : far;
}

/** A grid of rounds, as numbers of a stage hold it. */
export interface RoundGrid {
  readonly sigmaMin: number;
  readonly sigmaMax: number;
  readonly rho?: number;
  /** 1 for the cosine schedule, which ends at the clean sample: σ = tan(b + a·u), u even. */
  readonly cosine?: number;
}

/** `count` falling levels, from sigmaMax to sigmaMin, or to 0 instead of it on the cosine schedule of arXiv:2202.00512. */
export function roundLevels(count: number, { cosine, ...bounds }: RoundGrid): readonly number[] {
  const karras = karrasSigmas(count, bounds); // checks the bounds for both
  if (!cosine) return karras;
  const [low, high] = [Math.atan(bounds.sigmaMin), Math.atan(bounds.sigmaMax)];
  return karras.map((_, i) => (i === count - 1 ? 0 : Math.tan(high + (i / (count - 1)) * (low - high))));
}

/** Levels of each sample, [B], where a step of the generator begins, where the teacher's two meet, and where all end. */
export interface HalvedLevels {
  readonly sigma: Tensor;
  readonly middle: Tensor;
  readonly next: Tensor;
}

/**
 * Levels at (i, i + ½, i + 1)/N of the grid of a stage, i ~ U{0 … N−1}. N and the grid are its numbers `steps`, `sigmaMin`,
 * `sigmaMax`, `rho` and `cosine`.
 * @throws E_CONFIG in the name of the loss `owner` for a stage without a number of steps
 */
export function halvedLevels(
  owner: string,
  stage: LossContext["stage"],
  noise: NoiseSource,
  count: number,
): HalvedLevels {
  const { steps, ...grid } = stage.numbers ?? {};
  if (!steps)
    throw failure(
      "E_CONFIG",
      `Cannot train with ${owner}: the stage ${stage.name} has no number of steps, a method such as progressive should give it`,
    );
  const levels = roundLevels(2 * steps + 1, grid as unknown as RoundGrid);
  const table = constantArray(levels, [levels.length, 1]);
  const index = mul(noise.integers(count, 0, steps), 2);
  const at = (place: Tensor) => reshape(takeRows(table, place), [count]);
  return { sigma: at(index), middle: at(add(index, 1)), next: at(add(index, 2)) };
}
