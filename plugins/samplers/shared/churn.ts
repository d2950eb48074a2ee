/** Fresh noise before a step of an ODE sampler, and the step of Euler. Karras et al. 2022, arXiv:2206.00364, Algorithm 2. */
import type { SamplerModel, SamplerRule, SamplerStep } from "../../../core/interfaces/mod.ts";
import { add, div, mul, sub } from "../../../core/ops/mod.ts";
import { number, type OptionsOf, optional } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** The numbers of a step, as scalar tensors. */
export type Values = Readonly<Record<string, Tensor>>;

export const churnOptions = {
  churn: number({ default: 0, min: 0, about: "S_churn: fresh noise over all steps; 0 is off" }),
  churnMin: number({ default: 0, min: 0, about: "S_min: lowest level that gets fresh noise" }),
  churnMax: optional(number({ min: 0 }), {
    about: "S_max: highest level that gets fresh noise; none for all",
  }),
  churnNoise: number({ default: 1, min: 0, about: "S_noise: factor on the fresh noise" }),
};

/** A step of levels: from `sigma` (raised from the schedule's level by noise of size `rise`) to `next`. */
export interface ChurnedLevel {
  readonly sigma: number;
  readonly next: number;
  readonly rise: number;
}

/** γ = min(churn/N, √2 − 1) between churnMin and churnMax, else 0; σ̂ = (1 + γ) σ; rise = churnNoise·√(σ̂² − σ²). */
export function churnedLevels(
  sigmas: readonly number[],
  { churn, churnMin, churnMax = Infinity, churnNoise }: OptionsOf<typeof churnOptions>,
): ChurnedLevel[] {
  const most = Math.min(churn / (sigmas.length - 1), Math.SQRT2 - 1);
  return sigmas.slice(0, -1).map((level, i) => {
    const gamma = level >= churnMin && level <= churnMax ? most : 0;
    const sigma = level * (1 + gamma);
    return { sigma, next: sigmas[i + 1], rise: churnNoise * Math.sqrt(sigma ** 2 - level ** 2) };
  });
}

/** A step by the rule of that name, or by the one that adds noise first. */
export const churnedStep = (
  rule: string,
  rise: number,
  values: SamplerStep["values"],
): SamplerStep =>
  rise > 0 ? { rule: `${rule} after churn`, values: { ...values, rise } } : { rule, values };

/** The rules, and each once more after fresh noise: x̂ = x + rise·ε. */
export const withChurn = (rules: Readonly<Record<string, SamplerRule>>): typeof rules => ({
  ...rules,
  ...Object.fromEntries(
    Object.entries(rules).map(([name, rule]): [string, SamplerRule] => [
      `${name} after churn`,
      (x, values, model, carried) =>
        rule(add(x, mul(values.rise, model.noise())), values, model, carried),
    ]),
  ),
});

/** dx/dσ = (x − D(x; σ))/σ of the probability flow. */
export const slope = (x: Tensor, sigma: Tensor, model: SamplerModel): Tensor =>
  div(sub(x, model.denoise(x, sigma)), sigma);

/** keep·x + (1 − keep)·D: Euler's step from σ to keep·σ, exactly D at keep = 0. */
export const towards = (x: Tensor, denoised: Tensor, keep: Tensor): Tensor =>
  add(mul(keep, x), mul(sub(1, keep), denoised));

/** Euler's step, x ← keep·x + (1 − keep)·D(x; σ) with keep = σ_next/σ. */
export const eulerStep: SamplerRule = (x, { sigma, keep }, model) =>
  towards(x, model.denoise(x, sigma), keep);
