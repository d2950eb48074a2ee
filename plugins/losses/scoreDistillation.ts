import { addNoise } from "../../core/diffusion/mod.ts";
import { type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { stopGradient } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { matchingLevelOptions, matchingLevels } from "./shared/matching.ts";
import { scoreDistillationLoss } from "./shared/scoreDistillation.ts";

/**
 * Score distillation as adversarial diffusion distillation has it: what the teacher makes of the generator's samples in noise.
 *   L = mean c(σ) (x − sg D_real(x_t; σ))²,  x_t = sg x + σ·ε,  σ drawn as for distribution matching
 *   exponential: c = α = 1/√(1 + σ²);  none: c = 1
 * x [B, …] from the generator → scalar. Gradient to the generator only, none through x_t. Alone it blurs.
 * Sauer et al. 2023, ADD, arXiv:2311.17042, Eq. 4 and 5. A guided teacher guides it.
 */
export const scoreDistillation = definePlugin({
  name: "score-distillation",
  kind: "loss",
  about: "Moves generated samples to where the teacher sees them in noise, without a critic",
  options: {
    weight: number({ default: 2.5, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...matchingLevelOptions,
    weighting: choice(["exponential", "none"], {
      default: "exponential",
      about: "how much a level counts: less in more noise, or all the same",
    }),
  },
  create({ weight, weighting, ...levels }, container): Loss {
    const process = container.get(PROCESS);
    const drawn = matchingLevels("score-distillation", levels, process);
    return {
      name: "score-distillation",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, teacher, noise, shared }) {
        const { sigma, eps } = drawn(x, noise);
        shared.draw ??= { sigma, eps };
        const real = teacher.denoise(addNoise(stopGradient(x), sigma, eps), sigma, condition);
        return scoreDistillationLoss(x, real, sigma, weighting);
      },
    };
  },
});
