/** Rules that samplers share, and rules made of others. */
import type { SamplerModel, SamplerRule, SamplerStep } from "../../../core/interfaces/mod.ts";
import { add, div, mul, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** The rule under a name of its own. */
export const named = (name: string, rule: SamplerRule): SamplerRule =>
  Object.defineProperty(rule, "name", { value: name });

/** A function from rules to rules. The same rule always gives the same one, so that equal steps share a program. */
export function derived(
  suffix: string,
  change: (rule: SamplerRule) => SamplerRule,
): (rule: SamplerRule) => SamplerRule {
  const made = new WeakMap<SamplerRule, SamplerRule>();
  return (rule) => {
    const known = made.get(rule) ?? named(`${rule.name} ${suffix}`, change(rule));
    made.set(rule, known);
    return known;
  };
}

/** The rule at x̂ = x + rise·ε. */
export const withChurn = derived(
  "after churn",
  (rule) => (x, values, model, carried) => rule(add(x, mul(values.rise, model.noise())), values, model, carried),
);

/** The rule, then x + up·ε. */
export const withNoise = derived("and noise", (rule) => (x, values, model, carried) => {
  const done = rule(x, values, model, carried);
  const noise = mul(values.up, model.noise());
  return "carried" in done ? { ...done, x: add(done.x, noise) } : add(done, noise);
});

/** The step, after fresh noise of size `rise` if that is above 0. */
export const churned = (
  { rule, values }: SamplerStep,
  rise: number,
  after: (rule: SamplerRule) => SamplerRule = withChurn,
): SamplerStep => (rise > 0 ? { rule: after(rule), values: { ...values, rise } } : { rule, values });

/** The step, with fresh noise of size `up` added if that is above 0. */
export const noised = ({ rule, values }: SamplerStep, up: number): SamplerStep =>
  up > 0 ? { rule: withNoise(rule), values: { ...values, up } } : { rule, values };

/** dx/dσ = (x − D(x; σ))/σ of the probability flow. */
export const slope = (x: Tensor, sigma: Tensor, model: SamplerModel): Tensor =>
  div(sub(x, model.denoise(x, sigma)), sigma);

/** keep·x + (1 − keep)·D: Euler's step from σ to keep·σ, exactly D at keep = 0. */
export const towards = (x: Tensor, denoised: Tensor, keep: Tensor): Tensor =>
  add(mul(keep, x), mul(sub(1, keep), denoised));

/** x ← keep·x + (1 − keep)·D(x; σ). */
export const eulerStep: SamplerRule = (x, { sigma, keep }, model) => towards(x, model.denoise(x, sigma), keep);

/** Euler's step from one level to another. */
export const eulerTo = (sigma: number, next: number): SamplerStep => ({
  rule: eulerStep,
  values: { sigma, keep: next / sigma },
});

/** x₂ by Euler at the midpoint, then the whole step along the slope there: x + (next − σ) (x₂ − D(x₂; m))/m. */
export const midpointStep: SamplerRule = (x, { sigma, middle, reach, fall }, model) => {
  const halfway = towards(x, model.denoise(x, sigma), reach);
  return add(x, mul(fall, sub(halfway, model.denoise(halfway, middle))));
};

/** Numbers of a step from σ to `next` through a level between them, m = √(σ·next) unless it is given. */
export function midpointValues(
  sigma: number,
  next: number,
  middle: number = Math.sqrt(sigma * next),
): Record<string, number> {
  return { sigma, middle, reach: middle / sigma, fall: (next - sigma) / middle };
}

/** The midpoint step from one level to another, Euler's to 0. */
export const midpointTo = (sigma: number, next: number): SamplerStep =>
  next === 0 ? eulerTo(sigma, 0) : { rule: midpointStep, values: midpointValues(sigma, next) };
