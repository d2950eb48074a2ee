import { PROCESS, type Sampler, type SamplerRule, type SamplerStep } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, optional } from "../../core/plugin/mod.ts";
import { churnOptions, gammaAt } from "./shared/churn.ts";
import {
  ablationSigmas,
  discretizations,
  type TimeScale,
  timeScaleOf,
  timeScales,
} from "./shared/edmAblationLevels.ts";
import { churned, derived } from "./shared/rules.ts";

/**
 * EDM's general sampler: any levels, any time scale σ(t), any scaling s(t) of x = s·(x0 + σ·ε), Euler or second order.
 *   t̂ = σ⁻¹(σ(t_i) (1 + γ));   x̂ = s(t̂)/s(t_i)·x + √(σ(t̂)² − σ(t_i)²)·s(t̂)·churnNoise·ε;   h = t_{i+1} − t̂
 *   d(x; t) = (σ'/σ + s'/s) x − (σ's/σ) D(x/s; σ)
 *   x' = x̂ + α h d(x̂; t̂);   x ← x̂ + h ((1 − 1/2α) d(x̂; t̂) + 1/(2α) d(x'; t̂ + α h)),   by Euler and at the end x̂ + h d
 * x [B, …]. NFE 2N − 1, with Euler N. Karras et al. 2022, arXiv:2206.00364, Algorithm 1 and Table 1; α of Eq. 9.
 */
export const edmAblation = definePlugin({
  name: "edm-ablation",
  kind: "sampler",
  about: "EDM's general sampler: levels, time scale, scaling and solver of earlier models, mixed",
  options: {
    steps: number({ default: 18, min: 2, max: 10_000, integer: true, about: "noise levels N" }),
    solver: choice(["euler", "heun"], { default: "heun", about: "first or second order" }),
    discretization: choice(discretizations, { default: "edm", about: "which levels" }),
    timeScale: choice(timeScales, { default: "linear", about: "σ(t)" }),
    scaling: choice(["vp", "none"], {
      default: "none",
      about: "s(t): 1/√(1 + σ²), which keeps the variance, or 1",
    }),
    sigmaMin: optional(number({ above: 0 }), {
      about: "lowest level; none for that of the discretization",
    }),
    sigmaMax: optional(number({ above: 0 }), {
      about: "highest level; none for that of the discretization",
    }),
    rho: number({ default: 7, min: 1, about: "bend of edm levels" }),
    alpha: number({ default: 1, above: 0, max: 1, about: "where the second slope is taken" }),
    timeMin: number({ default: 1e-3, above: 0, max: 0.5, about: "ε_s: first time of vp" }),
    chain: number({ default: 1000, min: 1, integer: true, about: "M: length of iddpm's chain" }),
    ratioMin: number({ default: 1e-3, above: 0, about: "C₁: least ratio of iddpm's ᾱ" }),
    cosineOffset: number({ default: 8e-3, min: 0, about: "C₂: offset of iddpm's cosine" }),
    ...churnOptions,
  },
  create({ solver, timeScale, scaling, alpha, ...options }, container): Sampler {
    const scale = timeScaleOf(timeScale, options);
    const sOf = (t: number) => (scaling === "vp" ? 1 / Math.hypot(1, scale.sigma(t)) : 1);
    const times = [...ablationSigmas(options).map(scale.time), 0];
    const slopeAt = slopeFactors(scale, sOf, scaling);
    const steps = times.slice(0, -1).map((time, i): SamplerStep => {
      const sigma = scale.sigma(time);
      const raised = sigma * (1 + gammaAt(sigma, options.steps, options));
      const hat = raised > sigma ? scale.time(raised) : time;
      const h = times[i + 1] - hat;
      const rise = Math.sqrt(Math.max(scale.sigma(hat) ** 2 - sigma ** 2, 0)) * sOf(hat);
      const lift = sOf(hat) / sOf(time);
      const here = slopeAt(hat);
      const values = { sigma: scale.sigma(hat), widen: 1 / sOf(hat), lift };
      const after = (rule: SamplerRule, rest: SamplerStep["values"]): SamplerStep =>
        churned({ rule, values: { ...values, ...rest } }, rise * options.churnNoise, withLift);
      if (solver === "euler" || i === options.steps - 1)
        return after(eulerRule, { keep: 1 + h * here.ofX, take: h * here.ofD });
      const there = slopeAt(hat + alpha * h);
      const [first, second] = [h * (1 - 1 / (2 * alpha)), h / (2 * alpha)];
      return after(heunRule, {
        reach: 1 + alpha * h * here.ofX,
        pull: alpha * h * here.ofD,
        next: scale.sigma(hat + alpha * h),
        widenNext: 1 / sOf(hat + alpha * h),
        // x' is put in on the host: its two large terms almost cancel, and float32 would keep their rounding.
        keep: 1 + first * here.ofX + second * there.ofX * (1 + alpha * h * here.ofX),
        take: first * here.ofD + second * there.ofX * alpha * h * here.ofD,
        takeNext: second * there.ofD,
      });
    });
    const sigmaMax = scale.sigma(times[0]);
    return { sigmaMax, startScale: container.get(PROCESS).start(sigmaMax) * sOf(times[0]), steps };
  },
});

/** Factors of x and of D in dx/dt. */
const slopeFactors = (scale: TimeScale, sOf: (t: number) => number, scaling: "vp" | "none") => (t: number) => {
  const [sigma, slope, s] = [scale.sigma(t), scale.slope(t), sOf(t)];
  const growth = scaling === "vp" ? -sigma * slope * s ** 2 : 0; // s'/s
  return { ofX: slope / sigma + growth, ofD: (-slope * s) / sigma };
};

const eulerRule: SamplerRule = (x, { sigma, widen, keep, take }, model) =>
  add(mul(keep, x), mul(take, model.denoise(mul(widen, x), sigma)));

const heunRule: SamplerRule = (x, values, model) => {
  const { sigma, widen, reach, pull, next, widenNext, keep, take, takeNext } = values;
  const denoised = model.denoise(mul(widen, x), sigma);
  const predicted = add(mul(reach, x), mul(pull, denoised));
  const again = model.denoise(mul(widenNext, predicted), next);
  const own = add(mul(keep, x), mul(take, denoised));
  return add(own, mul(takeNext, again));
};

/** The rule at x̂ = lift·x + rise·ε. */
const withLift = derived(
  "after churn",
  (rule) => (x, values, model, carried) =>
    rule(add(mul(values.lift, x), mul(values.rise, model.noise())), values, model, carried),
);
