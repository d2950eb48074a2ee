import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";

/** D(x; σ): the estimate of the clean image in a noisy one. */
export interface Denoiser {
  /** x [B, …], sigma [B] > 0 → [B, …]. */
  denoise(x: Tensor, sigma: Tensor, condition: Condition): Tensor;
  /** What a discriminator on this network reads of a noisy x [B, …] at sigma [B], such as [B, C, H, W]. */
  features?(x: Tensor, sigma: Tensor, condition: Condition): Tensor;
}
