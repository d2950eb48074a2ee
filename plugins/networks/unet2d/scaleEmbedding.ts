import { timestepEmbedding } from "../../../core/nn/mod.ts";
import { mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/**
 * How a latent consistency model is told its guidance scale w [B], 1 is off: sines, then cosines, of 1000·(w − 1) → [B, width].
 * As diffusers' `get_guidance_scale_embedding`. Luo et al. 2023, arXiv:2310.04378.
 */
export const scaleEmbedding = (scale: Tensor, width: number): Tensor =>
  timestepEmbedding(mul(sub(scale, 1), 1000), { width, first: "sin", shift: 1 });
