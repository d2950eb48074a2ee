import { DATA_SHAPE, type Loss } from "../../core/interfaces/mod.ts";
import { mean } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { levelWeight, levelWeights } from "./shared/levelWeight.ts";
import { halvedLevels, progressiveLosses } from "./shared/progressive.ts";

/**
 * Progressive distillation in noise levels: one step of the generator leads where two of the teacher do.
 *   i ~ U{0 … N−1},  σ, m, n at (i, i + ½, i + 1)/N of a grid of levels;   x_t = x + σ·ε;   x̃ of two Euler steps of the teacher
 *   L = mean w(σ) · d(D(x_t; σ), sg x̃)
 * N and the grid are numbers of the stage, which the method gives: `steps`, `sigmaMin`, `sigmaMax`, `rho`, `cosine`.
 * x [B, …] real → scalar. Gradient to the generator only. Salimans & Ho 2022, arXiv:2202.00512, Algorithm 2.
 */
export const progressiveLoss = definePlugin({
  name: "progressive",
  kind: "loss",
  about: "Makes one step of the generator lead where two of the teacher do",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    levelWeight: choice(levelWeights, {
      default: "truncated-snr",
      about: "how much each level counts",
    }),
  },
  create({ weight, distance, levelWeight: kind }, container): Loss {
    const { sigmaData } = container.get(DATA_SHAPE);
    return {
      name: "progressive",
      role: "generator",
      weight,
      compute({ real: { x, condition }, generator, teacher, noise, stage }) {
        const levels = halvedLevels("progressive", stage, noise, x.shape[0]);
        const samples = { x, eps: noise.normalLike(x), condition, ...levels };
        const losses = progressiveLosses(
          samples,
          { generator, teacher },
          { distance: sampleDistances[distance], weight: levelWeight(kind, samples.sigma, sigmaData) },
        );
        return mean(losses);
      },
    };
  },
});
