import { failure } from "../../core/errors.ts";
import type { Loss } from "../../core/interfaces/mod.ts";
import { add, mul, pow } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { ENCODER_GAME, encoderGameOptions, identityLosses, identityTotal } from "./shared/scoreIdentity.ts";

const levelOptions = {
  sigmaMin: number({ default: 0.002, above: 0, about: "lowest noise level" }),
  sigmaMax: number({ default: 80, above: 0, about: "noise level at the end of the whole scale" }),
  rho: number({ default: 7, min: 1, about: "bend of the scale; more puts levels near sigmaMin" }),
  maxStep: number({ default: 0.8, above: 0, max: 1, about: "highest level used, as a fraction of the scale" }),
};

/**
 * Score identity distillation.
 *   u ~ U[0, maxStep),  σ = (sigmaMin^(1/ρ) + u·(sigmaMax^(1/ρ) − sigmaMin^(1/ρ)))^ρ,  x_t = x + σ·ε
 *   a = D_real(x_t; σ), b = D_fake(x_t; σ),  L = Σ (a − b)·[(a − x) − alpha·(a − b)] / max(mean|x − a|, 1e-5) / B
 * With `adversarial` it is SiDA: half of L, and half of an adversarial term from the critic's encoder.
 * x [B, …] from the generator → scalar; 0 with no gradient while the critic is the teacher and alpha is 1. Gradient to the
 * generator, through teacher and critic: an update costs about twice that of distribution matching.
 * Zhou et al. 2024, SiD, arXiv:2404.04057, and SiDA, arXiv:2410.14919, as in the official code.
 */
export const sidLoss = definePlugin({
  name: "sid",
  kind: "loss",
  about: "Score identity between teacher and critic, differentiated through both; adversarial for SiDA",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    alpha: number({ default: 1.2, about: "how much of the squared difference is taken away; 1 to 1.2" }),
    ...levelOptions,
    ...encoderGameOptions,
  },
  create({ weight, alpha, adversarial, logitScale, ...levels }): Loss {
    const { sigmaMin, sigmaMax } = levels;
    if (sigmaMin >= sigmaMax)
      throw failure(
        "E_OPTION",
        `Cannot configure sid: sigmaMin is ${sigmaMin} and sigmaMax ${sigmaMax}, sigmaMin should be the lower`,
      );
    return {
      name: "sid",
      role: "generator",
      weight,
      ...(adversarial > 0 && { game: { name: ENCODER_GAME, side: "fools" } }),
      compute({ generated: { x, condition }, teacher, critic, noise }) {
        const sigma = scaleLevels(noise.uniform([x.shape[0]]), levels);
        const samples = { x, sigma, eps: noise.normalLike(x), condition };
        const game = adversarial > 0 ? { logitScale } : {};
        return identityTotal(identityLosses(samples, { teacher, critic }, { alpha, ...game }), adversarial);
      },
    };
  },
});

/** Levels of uniform draws u [B] in [0, 1) on Karras' scale, of which the part up to maxStep is used. [B] */
export function scaleLevels(
  u: Tensor,
  { sigmaMin, sigmaMax, rho, maxStep }: { readonly [name in keyof typeof levelOptions]: number },
): Tensor {
  const [low, high] = [sigmaMin ** (1 / rho), sigmaMax ** (1 / rho)];
  return pow(add(mul(u, maxStep * (high - low)), low), rho);
}
