import { addNoise, edmWeight } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, LOSSES, type Loss } from "../../core/interfaces/mod.ts";
import { mean, mul, square, stopGradient, sub } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { gridOf, levelOptions } from "./levels.ts";

/**
 * Denoising loss of the fake score on the generator's samples.
 *   k ~ U{0…n−1},  L = mean λ(σ_k) (D_fake(x + σ_k·ε; σ_k) − x)²,  λ(σ) = σ⁻² + σ_data⁻²
 * x [B, …] from the generator, detached → scalar. Gradient to the critic only, its discriminator head excepted.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.2; λ and the uniform levels as in the official code for EDM.
 */
export const fakeScoreLoss = definePlugin({
  name: "fake-score",
  kind: "loss",
  token: LOSSES,
  about: "Trains the critic to denoise the generator's samples",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the critic's total; 0 is off" }),
    ...levelOptions,
  },
  create({ weight, ...levels }, container): Loss {
    const { sigmaData } = container.get(DATA_SHAPE);
    const grid = gridOf(levels);
    return {
      name: "fake-score",
      role: "critic",
      weight,
      compute({ generated, critic, noise }) {
        const x = stopGradient(generated.x);
        const eps = noise.normalLike(x);
        const sigma = noise.fromGrid(grid, x.shape[0]);
        const denoised = critic.denoise(addNoise(x, sigma, eps), sigma, generated.condition);
        const lambda = edmWeight(sigma, sigmaData, x.shape.length);
        return mean(mul(lambda, square(sub(denoised, x))));
      },
    };
  },
});
