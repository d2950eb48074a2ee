import { failure } from "../../core/errors.ts";
import { LOSSES, type Loss } from "../../core/interfaces/mod.ts";
import { abs, div, mean, mul, nanToNum, square, stopGradient, sub } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { diffuse, gridOf, levelOptions } from "./levels.ts";

/**
 * Distribution matching, the heart of DMD2.
 *   k ~ U{⌊minStep·n⌋ … ⌊maxStep·n⌋},  x_t = x + σ_k·ε
 *   g = (D_fake − D_real)(x_t; σ_k) / mean|x − D_real|,  the mean over a sample; 0/0 counts as 0
 *   L = ½ mean (x − sg[x − g])²,  so that ∂L/∂x = g / numel; its value, ½ mean g², does not measure convergence
 * x [B, …] from the generator → scalar. Gradient to the generator only: none to teacher or critic, none through x_t.
 * Yin et al. 2024, DMD2, arXiv:2405.14867; the weight of a sample is from DMD, arXiv:2311.18828, without its α_t.
 */
export const distributionMatching = definePlugin({
  name: "distribution-matching",
  kind: "loss",
  token: LOSSES,
  about: "Moves generated samples from where the critic sees them to where the teacher does",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...levelOptions,
    minStep: number({
      default: 0.02,
      min: 0,
      max: 1,
      about: "lowest level used, as a fraction of the grid",
    }),
    maxStep: number({
      default: 0.98,
      min: 0,
      max: 1,
      about: "highest level used, as a fraction of the grid",
    }),
  },
  create({ weight, minStep, maxStep, ...levels }): Loss {
    if (minStep > maxStep)
      throw failure(
        "E_OPTION",
        `Cannot configure distribution-matching: minStep is ${minStep} and maxStep ${maxStep}, minStep should be the lower`,
      );
    const grid = gridOf(levels);
    const low = Math.min(Math.floor(minStep * grid.length), grid.length - 1);
    const high = Math.max(low + 1, Math.min(Math.floor(maxStep * grid.length) + 1, grid.length));
    return {
      name: "distribution-matching",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, teacher, critic, noise }) {
        const fixed = stopGradient(x);
        const { xt, sigma } = diffuse(fixed, noise, grid, low, high);
        const real = teacher.denoise(xt, sigma, condition);
        const fake = critic.denoise(xt, sigma, condition);
        const axes = x.shape.map((_, axis) => axis).slice(1);
        const scale = mean(abs(sub(fixed, real)), { axes, keepDims: true });
        const g = nanToNum(div(sub(fake, real), scale));
        return mul(0.5, mean(square(sub(x, stopGradient(sub(fixed, g))))));
      },
    };
  },
});
