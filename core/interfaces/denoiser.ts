import type { Tensor } from "../tensor/tensor.ts";
import type { Condition } from "./condition.ts";

/** D(x; σ): the estimate of the clean image in a noisy one. */
export interface Denoiser {
  /** x [B, …], sigma [B] > 0 → [B, …]. */
  denoise(x: Tensor, sigma: Tensor, condition: Condition): Tensor;
  /** Calls of the network that one of `denoise` costs, as a batch of them; 1 where absent. */
  readonly calls?: number;
  /** Whether it answers at the level that samples begin at, whatever level it is told. */
  readonly startsOnly?: boolean;
  /** What a discriminator on this network reads of a noisy x [B, …] at sigma [B], such as [B, C, H, W]. */
  features?(x: Tensor, sigma: Tensor, condition: Condition): Tensor;
}
