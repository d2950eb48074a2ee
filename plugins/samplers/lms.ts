import { PROCESS, type Sampler, type SamplerRule } from "../../core/interfaces/mod.ts";
import { add, mul } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { levelOptions, levelsOf } from "./shared/levels.ts";
import { named, slope } from "./shared/rules.ts";

/**
 * Linear multistep (Adams–Bashforth on uneven levels): the slopes d_j = (x_j − D(x_j; σ_j))/σ_j of the last steps, as a
 * polynomial in σ, integrated from σ_i to σ_{i+1}: x ← x + Σ_j c_ij d_{i−j}. The first steps have fewer slopes.
 * x [B, …]. NFE N. `sample_lms` of k-diffusion.
 */
export const lms = definePlugin({
  name: "lms",
  kind: "sampler",
  about: "Linear multistep method on the slopes of the last steps, one network call each",
  options: {
    ...levelOptions,
    order: number({ default: 4, min: 1, max: 8, integer: true, about: "most slopes in use" }),
  },
  create({ order, ...options }, container): Sampler {
    const { sigmas, ...start } = levelsOf("lms", options, container.get(PROCESS));
    const rules = Array.from({ length: order }, (_, k) => lmsStep(k + 1, order));
    const steps = sigmas.slice(0, -1).map((sigma, i) => {
      const used = Math.min(i + 1, order);
      return { rule: rules[used - 1], values: { sigma, ...coefficients(sigmas, i, used) } };
    });
    return { ...start, steps, carried: slopeNames(order - 1) };
  },
});

/** Slopes before this one, newest first. */
const slopeNames = (count: number) => Array.from({ length: count }, (_, i) => `slope${i + 1}`);

const lmsStep = (used: number, order: number): SamplerRule =>
  named(`lms of order ${used}`, (x, values, model, carried) => {
    const own = slope(x, values.sigma, model);
    const slopes = [own, ...slopeNames(order - 1).map((name) => carried[name])];
    const next = slopes.slice(0, used).reduce((sum, d, j) => add(sum, mul(values[`c${j}`], d)), x);
    const kept = slopeNames(Math.min(used, order - 1));
    return { x: next, carried: Object.fromEntries(kept.map((name, j) => [name, slopes[j]])) };
  });

/** c_j = ∫ from σ_i to σ_{i+1} of Π_{k ≠ j} (s − σ_{i−k})/(σ_{i−j} − σ_{i−k}) ds. */
function coefficients(sigmas: readonly number[], i: number, order: number): Record<string, number> {
  const known = Array.from({ length: order }, (_, k) => sigmas[i - k]);
  return Object.fromEntries(
    known.map((own, j) => {
      let polynomial = [1]; // ascending powers of s
      for (const other of known.filter((_, k) => k !== j))
        polynomial = timesLinear(polynomial, -other / (own - other), 1 / (own - other));
      const integral = (s: number) =>
        polynomial.reduce((sum, c, power) => sum + (c * s ** (power + 1)) / (power + 1), 0);
      return [`c${j}`, integral(sigmas[i + 1]) - integral(sigmas[i])];
    }),
  );
}

/** polynomial · (constant + factor·s) */
const timesLinear = (polynomial: readonly number[], constant: number, factor: number): number[] =>
  [...polynomial, 0].map((c, power) => c * constant + (power > 0 ? polynomial[power - 1] * factor : 0));
