import { perSample } from "../../../core/diffusion/mod.ts";
import type { Condition, Denoiser } from "../../../core/interfaces/mod.ts";
import { constantArray, equal, mul, reshape, takeRows, where } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { SampleDistance } from "./distillation.ts";

/** Points of a teacher's path, and the sample at its end. */
export interface PathPoints {
  /** Noisy samples x0 + σ·ε on the path, [B, …] each, in the order of `levels`. */
  readonly points: readonly Tensor[];
  /** The noise levels σ of the points. */
  readonly levels: readonly number[];
  /** Which point each sample begins from, i32 [B]; all from the first when absent. */
  readonly index?: Tensor;
  /** Where the path ends, [B, …]. */
  readonly y: Tensor;
  readonly condition: Condition;
}

/**
 * Knowledge distillation: from any point of a teacher's path the generator leads to its end.
 *   ½ d(G(x_i; σ_i), y)
 * One point is the first noise: Luhman & Luhman 2021, arXiv:2101.02388. → a loss per sample, [B].
 */
export function pathPointLosses(
  { points, levels, index, y, condition }: PathPoints,
  { denoise }: Denoiser,
  distance: SampleDistance,
): Tensor {
  const [B] = y.shape;
  const table = constantArray(levels, [levels.length, 1]);
  const place = index ?? constantArray(new Array<number>(B).fill(0), [B], "i32");
  const x = points.reduce((chosen, point, i) => where(perSample(equal(place, i), y.shape.length), point, chosen));
  return mul(distance(denoise(x, reshape(takeRows(table, place), [B]), condition), y), 0.5);
}
