import { type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import { mean, sigmoid } from "../../core/ops/mod.ts";
import { definePlugin, extractorNeeded, number } from "../../core/plugin/mod.ts";
import { discriminatorInput, discriminatorOptions } from "./shared/discriminatorInput.ts";
import { fooling, gameOf, judgementOptions, logits } from "./shared/judgement.ts";
import { rungTeller } from "./shared/rung.ts";

/**
 * Non-saturating GAN loss of the generator.
 *   L = mean softplus(−l),  l = discriminator's logit of x + σ_k·ε,  k ~ U{0…n−1};   hinge: L = mean −l
 * x [B, …] from the generator → scalar; ln 2 where the discriminator is blind. Gradient to the generator, through the
 * critic's frozen encoder and head, or the teacher's encoder. Reports the discriminator's probability.
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.3.
 */
export const ganGenerator = definePlugin({
  name: "gan-generator",
  kind: "loss",
  about: "Makes generated samples look real to the discriminator",
  options: {
    weight: number({ default: 3e-3, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...discriminatorOptions,
    ...judgementOptions,
  },
  needs: extractorNeeded,
  create({ weight, objective, features, extractor, tap, ...input }, container): Loss {
    const show = discriminatorInput(input, container.get(PROCESS));
    const told = rungTeller(container);
    const game = gameOf("gan-generator", { objective, features, extractor, tap }, input.diffused, container);
    return {
      name: "gan-generator",
      role: "generator",
      weight,
      bears: ["guidance"],
      game: { name: "losses.gan-discriminator", side: "fools" },
      ...(game.extracted && { frozen: game.extracted.frozen, load: game.extracted.load }),
      compute(context) {
        const { x, condition } = context.generated;
        const shown = show.generated(x, context, "gan-generator");
        const l = logits(game, context, shown, told(condition, x));
        context.report?.("discriminator-on-fake", mean(sigmoid(l)));
        return mean(fooling(game, l));
      },
    };
  },
});
