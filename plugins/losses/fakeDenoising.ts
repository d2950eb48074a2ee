import { type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { add, mul, stopGradient } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { denoisingTerms } from "./shared/denoising.ts";
import { ENCODER_GAME, encoderGame, encoderGameOptions, perSampleSum } from "./shared/scoreIdentity.ts";
import { distributionOf, distributionOptions } from "./shared/sigmaDistribution.ts";

/**
 * Denoising loss of the fake score with the levels and weights that EDM trains teachers with.
 *   ln σ ~ N(pMean, pStd²),  L = Σ λ(σ) (D_fake(x + σ·ε; σ) − x)² / B,  λ of the run's process: σ⁻² + σ_data⁻² for EDM's
 * With `adversarial` the critic's encoder learns to discriminate, as in SiDA: for each sample also adversarial·λ(σ)·½ [mean
 * softplus(−l_real) + mean softplus(l_fake)] / B, real samples at the levels and in the noise of the generated ones.
 * x [B, …] from the generator, detached → scalar. Gradient to the critic only. The sum over each sample is that of EDM's code.
 * Karras et al. 2022, arXiv:2206.00364; Luo et al. 2023, Diff-Instruct, arXiv:2305.18455; Zhou et al. 2024, SiD,
 * arXiv:2404.04057, and SiDA, arXiv:2410.14919.
 */
export const fakeDenoising = definePlugin({
  name: "fake-denoising",
  kind: "loss",
  about: "Trains the critic on the generator's samples as EDM trains a teacher; adversarial for SiDA",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the critic's total; 0 is off" }),
    ...distributionOptions,
    ...encoderGameOptions,
  },
  create({ weight, adversarial, logitScale, ...options }, container): Loss {
    const process = container.get(PROCESS);
    const distribution = distributionOf("fake-denoising", options);
    return {
      name: "fake-denoising",
      role: "critic",
      weight,
      ...(adversarial > 0 && { game: { name: ENCODER_GAME, side: "judges" } }),
      compute(context) {
        const { generated, critic, noise } = context;
        const x = stopGradient(generated.x);
        const sigma = distribution(noise, x.shape[0]);
        const samples = { x, sigma, eps: noise.normalLike(x), condition: generated.condition };
        const denoising = perSampleSum(denoisingTerms(samples, critic, process));
        if (adversarial === 0) return denoising;
        const game = encoderGame(samples, context.real, critic, { process, logitScale });
        return add(denoising, mul(perSampleSum(game), adversarial));
      },
    };
  },
});
