import type { Condition, Denoiser, Sampler } from "../../../core/interfaces/mod.ts";
import { broadcastTo, constant, reshape } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** A sampler's steps one after another in one trace, from its start; `noise` gives ε of step i. */
export function trace(
  sampler: Sampler,
  denoiser: Denoiser,
  start: Tensor,
  noise: (step: number) => Tensor,
  condition: Condition = {},
): { readonly x: Tensor; readonly nfe: number } {
  let [x, nfe] = [start, 0];
  sampler.steps.forEach(({ rule, values }, step) => {
    const scalars = Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, constant(value)]),
    );
    x = sampler.rules[rule](x, scalars, {
      denoise(noisy, sigma) {
        nfe++;
        const levels = broadcastTo(reshape(sigma, [1]), { shape: [start.shape[0]] });
        return denoiser.denoise(noisy, levels, condition);
      },
      noise: () => noise(step),
    });
  });
  return { x, nfe };
}
