import { add } from "../ops/add.ts";
import { div } from "../ops/div.ts";
import { mul } from "../ops/mul.ts";
import { sqrt } from "../ops/sqrt.ts";
import { square } from "../ops/square.ts";
import { sub } from "../ops/sub.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Numbers of an Adam update. */
export interface AdamOptions {
  /** β₁, decay of the mean of gradients, in [0, 1); 0.9. */
  readonly beta1?: number;
  /** β₂, decay of the mean of squared gradients, in [0, 1); 0.999. */
  readonly beta2?: number;
  /** Added to the root of the second moment; 1e-8. */
  readonly eps?: number;
  /** λ, at least 0; 0 is none. */
  readonly weightDecay?: number;
  /** λ pulls the weights directly (AdamW), instead of through the gradient (Adam with L2). */
  readonly decoupled?: boolean;
}

/** The state of Adam for one network, before or after an update: flat tensors of one size. */
export interface AdamState {
  readonly weights: Tensor;
  readonly moment1: Tensor;
  readonly moment2: Tensor;
}

/** The numbers of one update: they change from step to step, so they are inputs of a replayed program. */
export type AdamScalars<T> = Readonly<Record<"stepSize" | "rootScale" | "decay", T>>;

/**
 * The scalars of update number `update` = 0, 1, … with learning rate α: α/(1 − β₁ᵗ), 1/√(1 − β₂ᵗ) and α λ, t = update + 1.
 * In float64 on the host, so that 1 − βᵗ keeps its digits and the device has no scalar arithmetic of its own.
 */
export const adamScalars = (
  update: number,
  rate: number,
  { beta1 = 0.9, beta2 = 0.999, weightDecay = 0 }: AdamOptions = {},
): AdamScalars<number> => ({
  stepSize: rate / (1 - beta1 ** (update + 1)),
  rootScale: 1 / Math.sqrt(1 - beta2 ** (update + 1)),
  decay: rate * weightDecay,
});

/**
 * Adam, and AdamW when decoupled, element by element as in PyTorch; w weights, m and v moments:
 *   g ← g + λ w (L2 only)      m ← β₁ m + (1 − β₁) g      v ← β₂ v + (1 − β₂) g²
 *   w ← w (1 − α λ) (AdamW only) − α m/(1 − β₁ᵗ) / (√v/√(1 − β₂ᵗ) + eps)
 * Kingma & Ba 2014, arXiv:1412.6980; Loshchilov & Hutter 2017, arXiv:1711.05101.
 */
export function adam(
  {
    weights: w,
    gradient,
    moment1: m,
    moment2: v,
    scalars: { stepSize, rootScale, decay },
  }: AdamState & { readonly gradient: Tensor; readonly scalars: AdamScalars<Tensor> },
  { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, decoupled = false }: AdamOptions = {},
): AdamState {
  const g = weightDecay && !decoupled ? add(gradient, mul(w, weightDecay)) : gradient;
  const moment1 = add(mul(m, beta1), mul(g, 1 - beta1));
  const moment2 = add(mul(v, beta2), mul(square(g), 1 - beta2));
  const kept = weightDecay && decoupled ? sub(w, mul(w, decay)) : w;
  const denominator = add(mul(sqrt(moment2), rootScale), eps);
  const weights = sub(kept, div(mul(stepSize, moment1), denominator));
  return { weights, moment1, moment2 };
}
