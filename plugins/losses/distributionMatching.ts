import { failure } from "../../core/errors.ts";
import { type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { abs, add, div, mean, mul, nanToNum, sqrt, square, stopGradient, sub } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { diffuse, gridOf, levelOptions } from "./shared/levels.ts";

/**
 * Distribution matching, the heart of DMD2.
 *   k ~ U{⌊minStep·n⌋ … ⌊maxStep·n⌋},  x_t = x + σ_k·ε
 *   g = (D_fake − D_real)(x_t; σ_k) / mean|x − D_real|,  a mean per sample; 0/0 counts as 0
 *   L = ½ mean (x − sg[x − g])²,  so that ∂L/∂x = g / numel; its value, ½ mean g², does not measure convergence
 * `normalise` takes the mean over the whole batch instead, or leaves D_fake − D_real as it is; `epsilon` is added to the mean.
 * Reports the critic's lag, √mean (mean_B r)² with r = (D_fake − x)/rms: the residual of an exact critic has mean 0, so the
 * lag of B samples is about 1/√B, and more where the critic is behind the generator.
 * x [B, …] from the generator → scalar. Gradient to the generator only: none to teacher or critic, none through x_t.
 * Yin et al. 2024, DMD2, arXiv:2405.14867; the weight per sample is from DMD, arXiv:2311.18828, without its α_t.
 */
export const distributionMatching = definePlugin({
  name: "distribution-matching",
  kind: "loss",
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
    normalise: choice(["sample", "batch", "none"], {
      default: "sample",
      about: "divides the gradient by mean |x − D_real| of each sample, of the batch, or not at all",
    }),
    epsilon: number({
      default: 0,
      min: 0,
      about: "added to that mean; 0 in the official code, 1e-6 in FastGen",
    }),
  },
  create({ weight, minStep, maxStep, normalise, epsilon, ...levels }, container): Loss {
    if (minStep > maxStep)
      throw failure(
        "E_OPTION",
        `Cannot configure distribution-matching: minStep is ${minStep} and maxStep ${maxStep}, minStep should be the lower`,
      );
    const grid = gridOf(levels, container.get(PROCESS));
    const low = Math.min(Math.floor(minStep * grid.length), grid.length - 1);
    const high = Math.max(low + 1, Math.min(Math.floor(maxStep * grid.length) + 1, grid.length));
    return {
      name: "distribution-matching",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, teacher, critic, noise, shared, report }) {
        const fixed = stopGradient(x);
        const { xt, sigma, eps } = diffuse(fixed, noise, grid, low, high);
        shared.draw ??= { sigma, eps };
        const real = teacher.denoise(xt, sigma, condition);
        const fake = critic.denoise(xt, sigma, condition);
        const axes = x.shape.map((_, axis) => axis).slice(1);
        report?.("critic-lag", lagOf(sub(fake, fixed), axes));
        const over = normalise === "batch" ? [0, ...axes] : axes;
        const residual = mean(abs(sub(fixed, real)), { axes: over, keepDims: true });
        const scale = epsilon > 0 ? add(residual, epsilon) : residual;
        const g = nanToNum(normalise === "none" ? sub(fake, real) : div(sub(fake, real), scale));
        return mul(0.5, mean(square(sub(x, stopGradient(sub(fixed, g))))));
      },
    };
  },
});

/** √mean (mean_B r/rms(r))²: how much the residuals [B, …] of the samples have in common. */
function lagOf(residual: Tensor, axes: readonly number[]): Tensor {
  const rms = sqrt(mean(square(residual), { axes, keepDims: true }));
  return sqrt(mean(square(mean(nanToNum(div(residual, rms)), { axes: [0] }))));
}
