import { perSample } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { add, div, mul, square, sub } from "../../../core/ops/mod.ts";

/** The lowest level, and the deviation of the data. */
export interface BoundaryOptions {
  readonly sigmaMin: number;
  readonly sigmaData: number;
}

/**
 * A consistency function from a denoiser D of any kind, which it equals far above ε = sigmaMin, and which is x at ε:
 *   f(x; σ) = cSkip(σ − ε)·x + (1 − ε/σ) (D(x; σ) − cSkip(σ)·x),   cSkip(σ) = σd²/(σ² + σd²)
 * Over EDM's preconditioning that is c_skip·x + c_out·F with c_out = (σ − ε)·σd/√(σ² + σd²).
 * x [B, …], sigma [B], at least ε. Song et al. 2023, arXiv:2303.01469, Eq. 5 and appendix C.
 */
export const boundaryDenoiser = ({ denoise }: Denoiser, { sigmaMin, sigmaData }: BoundaryOptions): Denoiser => ({
  denoise(x, sigma, condition) {
    const s = perSample(sigma, x.shape.length);
    const above = sub(s, sigmaMin);
    const skip = (level: typeof s) => div(sigmaData ** 2, add(square(level), sigmaData ** 2));
    const residual = sub(denoise(x, sigma, condition), mul(skip(s), x));
    return add(mul(skip(above), x), mul(div(above, s), residual));
  },
});
