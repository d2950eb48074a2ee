import { LOSSES, type Loss } from "../../core/interfaces/mod.ts";
import { mean, neg, softplus } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { discriminatorInput, discriminatorOptions } from "./discriminatorInput.ts";

/**
 * Non-saturating GAN loss of the generator.
 *   L = mean softplus(−l),  l = discriminator's logit of x + σ_k·ε,  k ~ U{0…n−1}
 * x [B, …] from the generator → scalar; ln 2 where the discriminator is blind. Gradient to the generator, through the
 * critic's frozen encoder and head. Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.3.
 */
export const ganGenerator = definePlugin({
  name: "gan-generator",
  kind: "loss",
  token: LOSSES,
  about: "Makes generated samples look real to the discriminator",
  options: {
    weight: number({ default: 3e-3, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...discriminatorOptions,
  },
  create({ weight, ...input }): Loss {
    const show = discriminatorInput(input);
    return {
      name: "gan-generator",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, critic, noise }) {
        const { xt, sigma } = show(x, noise);
        return mean(softplus(neg(critic.discriminate(xt, sigma, condition))));
      },
    };
  },
});
