import { type DiscreteTable, nearestTimestep, perSample } from "../../../core/diffusion/mod.ts";
import type { Denoiser } from "../../../core/interfaces/mod.ts";
import { add, constantArray, mul, reshape, takeRows } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** How fast a latent consistency function turns from its input to its network. */
export interface TimestepBoundary {
  /** Factor on the timestep, 10 in the official code. */
  readonly scaling: number;
  /** 0.5 in the official code, whatever the data. */
  readonly sigmaData: number;
}

/** c_skip = σd²/(τ² + σd²) and c_out = τ/√(τ² + σd²), τ = scaling·timestep: 1 and 0 at timestep 0. */
export function boundaryFactors(timestep: number, { scaling, sigmaData }: TimestepBoundary) {
  const tau = scaling * timestep;
  const total = tau ** 2 + sigmaData ** 2;
  return { skip: sigmaData ** 2 / total, out: tau / Math.sqrt(total) };
}

/**
 * A latent consistency function from a denoiser D, which it equals but for the lowest timesteps; at timestep 0 it is its input:
 *   f(x; σ) = c_skip(t)·x/scale(σ) + c_out(t)·D(x; σ),   t the timestep of σ, x/scale(σ) the input as the model sees it
 * x [B, …], sigma [B]. Luo et al. 2023, arXiv:2310.04378, as huggingface/diffusers has it: no σd in c_out.
 * @param scale of a level, as `NoiseProcess.scale`
 */
export function timestepBoundary(
  { denoise }: Denoiser,
  { sigmas }: Pick<DiscreteTable, "sigmas">,
  scale: (sigma: number) => number,
  options: TimestepBoundary,
): Denoiser {
  const factors = sigmas.filter(Number.isFinite).map((sigma, timestep) => {
    const { skip, out } = boundaryFactors(timestep, options);
    return { skip: skip / scale(sigma), out };
  });
  return {
    denoise(x, sigma, condition) {
      const timestep = nearestTimestep(sigma, { sigmas });
      const at = (values: number[]): Tensor =>
        perSample(reshape(takeRows(constantArray(values, [values.length, 1]), timestep), [x.shape[0]]), x.shape.length);
      const kept = mul(at(factors.map(({ skip }) => skip)), x);
      return add(kept, mul(at(factors.map(({ out }) => out)), denoise(x, sigma, condition)));
    },
  };
}
