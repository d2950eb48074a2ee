import { add } from "../ops/add.ts";
import { div } from "../ops/div.ts";
import { mul } from "../ops/mul.ts";
import { sqrt } from "../ops/sqrt.ts";
import { square } from "../ops/square.ts";
import { sub } from "../ops/sub.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { AdamOptions, AdamState } from "./adam.ts";

/** The numbers of one update: factors of m/(√v + eps) and of m alone, one of which is 0. */
export type RadamScalars<T> = Readonly<Record<"adaptive" | "plain", T>>;

/**
 * The scalars of update number `update` = 0, 1, … with learning rate α. With t = update + 1 and the length
 * ρ_t = ρ∞ − 2t β₂ᵗ/(1 − β₂ᵗ) of the average of squares, ρ∞ = 2/(1 − β₂) − 1, the adaptive step is taken once ρ_t > 5.
 */
export function radamScalars(
  update: number,
  rate: number,
  { beta1 = 0.9, beta2 = 0.999 }: AdamOptions = {},
): RadamScalars<number> {
  const t = update + 1;
  const [bias1, bias2] = [1 - beta1 ** t, 1 - beta2 ** t];
  const longest = 2 / (1 - beta2) - 1;
  const length = longest - (2 * t * beta2 ** t) / bias2;
  if (length <= 5) return { adaptive: 0, plain: rate / bias1 };
  const rectification = Math.sqrt(((length - 4) * (length - 2) * longest) / ((longest - 4) * (longest - 2) * length));
  return { adaptive: (rate / bias1) * Math.sqrt(bias2) * rectification, plain: 0 };
}

/**
 * Rectified Adam, as in PyTorch 1.13: moments m and v as in `adam`, weight decay through the gradient, and
 *   w ← w − (adaptive/(√v + eps) + plain) · m.
 * Liu et al. 2019, arXiv:1908.03265.
 */
export function radam(
  {
    weights: w,
    gradient,
    moment1: m,
    moment2: v,
    scalars: { adaptive, plain },
  }: AdamState & { readonly gradient: Tensor; readonly scalars: RadamScalars<Tensor> },
  { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0 }: Omit<AdamOptions, "decoupled"> = {},
): AdamState {
  const g = weightDecay ? add(gradient, mul(w, weightDecay)) : gradient;
  const moment1 = add(mul(m, beta1), mul(g, 1 - beta1));
  const moment2 = add(mul(v, beta2), mul(square(g), 1 - beta2));
  const factor = add(div(adaptive, add(sqrt(moment2), eps)), plain);
  return { weights: sub(w, mul(moment1, factor)), moment1, moment2 };
}
