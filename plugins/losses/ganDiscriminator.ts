import { type Condition, LOSSES, type Loss } from "../../core/interfaces/mod.ts";
import { add, concat, mean, neg, softplus, split, stopGradient } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { discriminatorInput, discriminatorOptions } from "./discriminatorInput.ts";

/**
 * GAN loss of the discriminator.
 *   L = mean [ softplus(l_fake) + softplus(−l_real) ],  l = logit of x + σ_k·ε,  k ~ U{0…n−1} for each batch by itself
 * x [B, …] from the generator, detached, and [B, …] real → scalar; 2 ln 2 where the discriminator is blind. Gradient to
 * the critic's encoder and head. Real samples draw first; both then pass the critic as one batch [2B, …].
 * Yin et al. 2024, DMD2, arXiv:2405.14867, section 4.3.
 */
export const ganDiscriminator = definePlugin({
  name: "gan-discriminator",
  kind: "loss",
  token: LOSSES,
  about: "Trains the critic's discriminator to tell real samples from generated ones",
  options: {
    weight: number({ default: 1e-2, min: 0, about: "factor in the critic's total; 0 is off" }),
    ...discriminatorOptions,
  },
  create({ weight, ...input }): Loss {
    const show = discriminatorInput(input);
    return {
      name: "gan-discriminator",
      role: "critic",
      weight,
      compute({ generated, real, critic, noise }) {
        const a = show(real.x, noise);
        const b = show(stopGradient(generated.x), noise);
        const logits = critic.discriminate(
          concat([a.xt, b.xt], 0),
          concat([a.sigma, b.sigma], 0),
          both(real.condition, generated.condition),
        );
        const [realLogit, fakeLogit] = split(logits, 2, 0);
        return mean(add(softplus(fakeLogit), softplus(neg(realLogit))));
      },
    };
  },
});

/** Unconditional unless both are asked for a class. */
const both = (a: Condition, b: Condition): Condition =>
  a.label && b.label ? { label: concat([a.label, b.label], 0) } : {};
