import { karrasSigmas } from "../../core/diffusion/mod.ts";
import {
  SAMPLER,
  type Sampler,
  type SamplerModel,
  type SamplerStep,
} from "../../core/interfaces/mod.ts";
import { add, div, mul, sub } from "../../core/ops/mod.ts";
import { definePlugin, number, optional } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/**
 * EDM's second-order sampler, deterministic or stochastic, on Karras levels t_0 > … > t_{N−1} > t_N = 0.
 *   γ_i = min(churn/N, √2 − 1) if churnMin ≤ t_i ≤ churnMax, else 0;   t̂ = (1 + γ_i) t_i
 *   x̂ = x + √(t̂² − t_i²)·churnNoise·ε;   d = (x̂ − D(x̂; t̂)) / t̂;   x' = x̂ + (t_{i+1} − t̂) d
 *   d' = (x' − D(x'; t_{i+1})) / t_{i+1};   x ← x̂ + (t_{i+1} − t̂) (d + d') / 2,   the last step x ← x' = D(x̂; t̂)
 * x [B, …]. NFE 2N − 1. Karras et al. 2022, arXiv:2206.00364, Algorithms 1 and 2.
 */
export const heun = definePlugin({
  name: "heun",
  kind: "sampler",
  token: SAMPLER,
  about: "EDM's second-order sampler, 2·steps − 1 network calls; stochastic with churn",
  options: {
    steps: number({ default: 18, min: 1, integer: true, about: "noise levels N" }),
    sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
    sigmaMax: number({ default: 80, above: 0, about: "highest noise level" }),
    rho: number({ default: 7, min: 1, about: "bend of the levels; more puts them near sigmaMin" }),
    churn: number({ default: 0, min: 0, about: "S_churn: fresh noise over all steps; 0 is off" }),
    churnMin: number({ default: 0, min: 0, about: "S_min: lowest level that gets fresh noise" }),
    churnMax: optional(number({ min: 0 }), {
      about: "S_max: highest level that gets fresh noise; none for all",
    }),
    churnNoise: number({ default: 1, min: 0, about: "S_noise: factor on the fresh noise" }),
  },
  create({ steps, churn, churnMin, churnMax = Infinity, churnNoise, ...karras }): Sampler {
    const levels = [...karrasSigmas(steps, karras), 0];
    const most = Math.min(churn / steps, Math.SQRT2 - 1);
    return {
      sigmaMax: levels[0],
      steps: levels.slice(0, -1).map((level, i): SamplerStep => {
        const gamma = level >= churnMin && level <= churnMax ? most : 0;
        const sigma = level * (1 + gamma);
        const rise = churnNoise * Math.sqrt(sigma ** 2 - level ** 2);
        const next = levels[i + 1];
        const method = next === 0 ? "euler" : "heun";
        const values = { sigma, next };
        return rise > 0
          ? { rule: `${method} after churn`, values: { ...values, rise } }
          : { rule: method, values };
      }),
      rules: {
        heun: heunStep,
        euler: eulerStep,
        "heun after churn": (x, values, model) =>
          heunStep(churned(x, values, model), values, model),
        "euler after churn": (x, values, model) =>
          eulerStep(churned(x, values, model), values, model),
      },
    };
  },
});

type Values = Readonly<Record<string, Tensor>>;

const churned = (x: Tensor, { rise }: Values, model: SamplerModel): Tensor =>
  add(x, mul(rise, model.noise()));

/** dx/dσ of the probability flow. */
const slope = (x: Tensor, sigma: Tensor, model: SamplerModel): Tensor =>
  div(sub(x, model.denoise(x, sigma)), sigma);

const eulerStep = (x: Tensor, { sigma, next }: Values, model: SamplerModel): Tensor =>
  add(x, mul(sub(next, sigma), slope(x, sigma, model)));

function heunStep(x: Tensor, { sigma, next }: Values, model: SamplerModel): Tensor {
  const d = slope(x, sigma, model);
  const predicted = add(x, mul(sub(next, sigma), d));
  return add(x, mul(mul(sub(next, sigma), 0.5), add(d, slope(predicted, next, model))));
}
