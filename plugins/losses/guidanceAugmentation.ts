import { checkGuidable, withoutCondition } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, type Loss, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { mean, stopGradient } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { effectSizeOptions, guidanceEffect, movedLosses } from "./shared/decoupled.ts";
import { matchingLevelOptions, matchingLevels } from "./shared/matching.ts";

/**
 * The guidance in DMD's gradient as a term of its own, at levels of its own.
 *   effect = w·(D_c − D_∅)(x_t; σ) / max(mean|D_c − x| + epsilon, floor), a mean per sample;   L = mean (x − sg[x + effect])²
 * D_c and D_∅ are the teacher's, with the sample's condition and without. w is what guidance adds: a guidance scale less 1.
 * x [B, …] from the generator → scalar, ∂L/∂x = −2·effect/numel. Gradient to the generator only, none through x_t.
 * Decoupled DMD, as byliutao/cdm has it (compute_cfg_loss).
 */
export const guidanceAugmentation = definePlugin({
  name: "guidance-augmentation",
  kind: "loss",
  about: "Moves generated samples along the teacher's guidance, apart from matching",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    scale: number({
      default: 3.5,
      min: 0,
      about: "how far guidance goes beyond the condition, a guidance scale less 1",
    }),
    ...matchingLevelOptions,
    ...effectSizeOptions,
  },
  create({ weight, scale, epsilon, floor, ...levels }, container): Loss {
    const shape = container.get(DATA_SHAPE);
    if (weight > 0)
      checkGuidable(
        "Cannot use guidance-augmentation: it goes beyond a condition",
        shape,
        container.get(NETWORK),
        "losses.guidance-augmentation=off",
      );
    const drawn = matchingLevels("guidance-augmentation", levels, container.get(PROCESS));
    return {
      name: "guidance-augmentation",
      role: "generator",
      weight,
      compute({ generated: { x, condition }, teacher, noise }) {
        const fixed = stopGradient(x);
        const { xt, sigma } = drawn(fixed, noise);
        const asked = teacher.denoise(xt, sigma, condition);
        const without = teacher.denoise(xt, sigma, withoutCondition(condition, shape.condition));
        return mean(movedLosses(x, guidanceEffect(fixed, { asked, without }, scale, { epsilon, floor })));
      },
    };
  },
});
