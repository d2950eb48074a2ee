import { checkGuidable } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, type Loss, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { mean, stopGradient, sub } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { effectSizeOptions, matchingEffect, movedLosses } from "./shared/decoupled.ts";
import { guidedAt, rescaled } from "./shared/guidance.ts";
import { lagOf, matchingLevelOptions, matchingLevels } from "./shared/matching.ts";
import { rungTeller } from "./shared/rung.ts";

const scale = (whose: string) =>
  number({ default: 1, min: 0, about: `guidance scale of the ${whose}'s prediction; 1 is off` });

/**
 * Distribution matching beside guidance that is a term of its own: the predictions of teacher and critic, each with a guidance of
 * its own or, by default, without any.
 *   effect = (D_real − D_fake)(x_t; σ) / max(mean|D_real − x| + epsilon, floor), a mean per sample;   L = mean (x − sg[x + effect])²
 *   D = D_∅ + w·(D_c − D_∅), times (1 − rescale) + rescale·std D_c/std D, each deviation that of a sample (arXiv:2305.08891, section 3.4)
 * x [B, …] from the generator → scalar, ∂L/∂x = −2·effect/numel. Gradient to the generator only, none through x_t. Reports the
 * critic's lag, as `distribution-matching` does. A guided critic has to learn samples without a condition:
 * `losses.fake-score.dropout`. Decoupled DMD, as byliutao/cdm has it (compute_dm_loss).
 */
export const decoupledMatching = definePlugin({
  name: "decoupled-matching",
  kind: "loss",
  about: "Matches distributions apart from guidance, with separate guidance of teacher and critic",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    realScale: scale("teacher"),
    fakeScale: scale("critic"),
    rescale: number({
      default: 0,
      min: 0,
      max: 1,
      about: "how far a guided prediction is brought back to the deviation of the one without guidance",
    }),
    ...matchingLevelOptions,
    ...effectSizeOptions,
  },
  create({ weight, realScale, fakeScale, rescale, epsilon, floor, ...levels }, container): Loss {
    const shape = container.get(DATA_SHAPE);
    for (const [name, value] of Object.entries({ realScale, fakeScale }))
      if (value !== 1)
        checkGuidable(
          `Cannot configure decoupled-matching: ${name} is ${value}`,
          shape,
          container.get(NETWORK),
          `losses.decoupled-matching.${name}=1`,
        );
    const told = rungTeller(container);
    const drawn = matchingLevels("decoupled-matching", levels, container.get(PROCESS));
    return {
      name: "decoupled-matching",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, teacher, critic, noise, shared, report }) {
        const fixed = stopGradient(x);
        const { xt, sigma, eps } = drawn(fixed, noise);
        shared.draw ??= { sigma, eps };
        const said = (who: typeof teacher, w: number, asked: typeof condition) => {
          const plain = who.denoise(xt, sigma, asked);
          return w === 1
            ? plain
            : rescaled(guidedAt(who, w, shape.condition).denoise(xt, sigma, asked), plain, rescale);
        };
        const real = said(teacher, realScale, condition);
        const fake = said(critic, fakeScale, told(condition, x));
        report?.("critic-lag", lagOf(sub(fake, fixed)));
        return mean(movedLosses(x, matchingEffect(fixed, { real, fake }, { epsilon, floor })));
      },
    };
  },
});
