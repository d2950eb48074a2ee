/** f-divergences in place of DMD2's reverse Kullback-Leibler one: how much each sample counts by its density ratio. */
import { add, constant, div, mean, sqrt, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/**
 * h(ρ) = ρ² f''(ρ) of each divergence, up to a factor, ρ = p_real/p_fake; Xu et al. 2025, f-distill, arXiv:2502.15681, table 1:
 *   rkl reverse KL 1, as DMD2;  kl forward KL ρ;  js Jensen-Shannon ρ/(1 + ρ);  sf softened reverse KL 1/(1 + ρ);
 *   neyman 1/ρ;  sh squared Hellinger √ρ;  jf Jeffreys 1 + ρ
 * ρ [B], above 0 → [B].
 */
export const divergences = {
  rkl: (ratio: Tensor): Tensor => constant(1, "f32", ratio.shape),
  kl: (ratio: Tensor): Tensor => ratio,
  js: (ratio: Tensor): Tensor => sub(1, div(1, add(1, ratio))),
  sf: (ratio: Tensor): Tensor => div(1, add(1, ratio)),
  neyman: (ratio: Tensor): Tensor => div(1, ratio),
  sh: (ratio: Tensor): Tensor => sqrt(ratio),
  jf: (ratio: Tensor): Tensor => add(1, ratio),
} satisfies Record<string, (ratio: Tensor) => Tensor>;

export type Divergence = keyof typeof divergences;

/** A small number that keeps empty bins and means of 0 from dividing by 0, as in FastGen. */
const TINY = 1e-6;

/** h of a divergence with mean 1 over the batch. ρ [B] → [B]. */
export function divergenceWeights(divergence: Divergence, ratio: Tensor): Tensor {
  const h = divergences[divergence](ratio);
  return div(h, add(mean(h), TINY));
}
