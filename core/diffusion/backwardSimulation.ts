import type { Condition } from "../interfaces/condition.ts";
import type { Denoiser } from "../interfaces/denoiser.ts";
import { add, constant, mul, stopGradient } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** A stop on the way of a few-step generator. */
export interface Rung {
  /** Input of the next call, at this rung's level. [B, …] */
  readonly x: Tensor;
  /** The clean samples after the calls so far; absent on the first rung, where x is noise only. [B, …] */
  readonly clean?: Tensor;
}

/**
 * Backward simulation: what a few-step generator will meet when it samples.
 *   x_0 = start,   clean_i = sg[D(x_{i−1}; σ_{i−1})],   x_i = clean_i + σ_i·ε
 * Rungs one by one, so that rungs without a reader are not traced; no gradient flows through any.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.5.
 * @param sigmas decreasing
 * @param start noise at the first level, [B, …]
 * @param noise fresh ε ~ N(0, I) shaped like `start`
 */
export function* backwardSimulation(
  { denoise }: Pick<Denoiser, "denoise">,
  sigmas: readonly number[],
  start: Tensor,
  condition: Condition,
  noise: () => Tensor,
): Generator<Rung, void> {
  let x = start;
  yield { x };
  for (let rung = 1; rung < sigmas.length; rung++) {
    const before = constant(sigmas[rung - 1], "f32", [start.shape[0]]);
    const clean = stopGradient(denoise(x, before, condition));
    x = add(clean, mul(noise(), sigmas[rung]));
    yield { x, clean };
  }
}
