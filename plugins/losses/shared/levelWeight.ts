import { add, constant, div, maximum, square } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** How much each noise level counts. */
export const levelWeights = ["uniform", "snr", "snr+1", "karras", "truncated-snr"] as const;
export type LevelWeight = (typeof levelWeights)[number];

/**
 * Weights of samples by their levels, with the signal-to-noise ratio σ⁻²: 1, σ⁻², σ⁻² + 1, σ⁻² + σ_data⁻² (Karras et al.
 * 2022, arXiv:2206.00364) or max(σ⁻², 1) (Salimans & Ho 2022, arXiv:2202.00512). sigma [B], above 0 → [B].
 */
export function levelWeight(weight: LevelWeight, sigma: Tensor, sigmaData: number): Tensor {
  if (weight === "uniform") return constant(1, "f32", sigma.shape);
  const ratio = square(div(1, sigma));
  if (weight === "snr") return ratio;
  if (weight === "truncated-snr") return maximum(ratio, 1);
  return add(ratio, weight === "karras" ? sigmaData ** -2 : 1);
}
