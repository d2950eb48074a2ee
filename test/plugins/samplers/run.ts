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
  // What a rule has not set yet is NaN: a rule that reads it is found out.
  let carried = Object.fromEntries(
    (sampler.carried ?? []).map((name) => [name, constant(Number.NaN, "f32", start.shape)]),
  );
  sampler.steps.forEach(({ rule, values }, step) => {
    const scalars = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, constant(value)]));
    const model = {
      denoise(noisy: Tensor, sigma: Tensor, told: Readonly<Record<string, Tensor>> = {}) {
        nfe++;
        const perSample = (value: Tensor) => broadcastTo(reshape(value, [1]), { shape: [start.shape[0]] });
        const entries = Object.entries(told).map(([name, value]) => [name, perSample(value)]);
        return denoiser.denoise(noisy, perSample(sigma), { ...condition, ...Object.fromEntries(entries) });
      },
      noise: () => noise(step),
    };
    const done = rule(x, scalars, model, carried);
    if ("carried" in done) {
      x = done.x;
      carried = { ...carried, ...done.carried };
    } else x = done;
  });
  return { x, nfe };
}
