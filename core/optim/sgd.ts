import { add } from "../ops/add.ts";
import { mul } from "../ops/mul.ts";
import { sub } from "../ops/sub.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Numbers of a step down the gradient. */
export interface SgdOptions {
  /** μ, in [0, 1); 0 is none. */
  readonly momentum?: number;
  /** Step along the gradient plus μ times the new moment, instead of along the moment. */
  readonly nesterov?: boolean;
  /** λ, at least 0; 0 is none. */
  readonly weightDecay?: number;
}

/** The state of gradient descent for one network, before or after an update: flat tensors of one size. */
export interface SgdState {
  readonly weights: Tensor;
  /** Starts at zero. */
  readonly moment: Tensor;
}

/**
 * Gradient descent with momentum, as in PyTorch; w weights, b moment:
 *   g ← g + λ w      b ← μ b + g      w ← w − α b      (α (g + μ b) for Nesterov)
 */
export function sgd(
  {
    weights: w,
    gradient,
    moment: b,
    scalars: { rate },
  }: SgdState & { readonly gradient: Tensor; readonly scalars: { readonly rate: Tensor } },
  { momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions = {},
): SgdState {
  const g = weightDecay ? add(gradient, mul(w, weightDecay)) : gradient;
  const moment = momentum ? add(mul(b, momentum), g) : g;
  const direction = nesterov ? add(g, mul(moment, momentum)) : moment;
  return { weights: sub(w, mul(rate, direction)), moment };
}
