/** What losses that hold a generator to a teacher's path have in common. */
import type { Condition } from "../../../core/interfaces/mod.ts";
import { abs, add, mean, sqrt, square, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** How far samples a [B, …] are from b [B, …], a number per sample, [B]. */
export type SampleDistance = (a: Tensor, b: Tensor) => Tensor;

const overSample = (x: Tensor): Tensor => mean(x, { axes: x.shape.map((_, axis) => axis).slice(1) });

/** Mean square, and mean absolute difference. */
export const sampleDistances = {
  l2: (a: Tensor, b: Tensor): Tensor => overSample(square(sub(a, b))),
  l1: (a: Tensor, b: Tensor): Tensor => overSample(abs(sub(a, b))),
} satisfies Record<string, SampleDistance>;

/** Mean √(d² + c²) − c of the differences d: a square where they are far below c > 0, absolute far above. */
export const huberDistance =
  (c: number): SampleDistance =>
  (a, b) =>
    overSample(sub(sqrt(add(square(sub(a, b)), c ** 2)), c));

/** Clean samples and the noise they are put in: x_t = x + σ·ε. */
export interface NoisedSamples {
  /** [B, …] */
  readonly x: Tensor;
  readonly eps: Tensor;
  /** The levels they start at, [B], above 0. */
  readonly sigma: Tensor;
  readonly condition: Condition;
}

/** How the difference of generator and target becomes a loss. */
export interface DistillationOptions {
  readonly distance: SampleDistance;
  /** Weight per sample, [B]; 1 when absent. */
  readonly weight?: Tensor;
}
