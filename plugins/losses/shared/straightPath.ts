import { type FlowNetwork, perSample } from "../../../core/diffusion/mod.ts";
import type { Condition } from "../../../core/interfaces/mod.ts";
import { add, mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { SampleDistance } from "./distillation.ts";

/** The two ends of a straight path, and where on it a network is asked. */
export interface StraightPath {
  /** The sample, [B, …]. */
  readonly x: Tensor;
  /** The noise that is paired with it, of variance 1, [B, …]. */
  readonly z: Tensor;
  /** 0 is the sample and 1 the noise, [B]. */
  readonly time: Tensor;
  readonly condition: Condition;
}

/**
 * The loss of a rectified flow: the velocity is that of the straight path through a pair.
 *   x_t = (1 − t)·x + t·z;   d(v(x_t; t), z − x)
 * With independent noise it trains the first flow, with pairs of noise and what a flow makes of it the next one (reflow), and at
 * the times of k Euler steps it distils a flow into these. → a loss per sample, [B].
 * Liu et al. 2022, arXiv:2209.03003, whose time runs the other way.
 */
export function flowLosses(
  { x, z, time, condition }: StraightPath,
  velocity: FlowNetwork,
  distance: SampleDistance,
): Tensor {
  const t = perSample(time, x.shape.length);
  const xt = add(mul(sub(1, t), x), mul(t, z));
  return distance(velocity(xt, time, condition), sub(z, x));
}
