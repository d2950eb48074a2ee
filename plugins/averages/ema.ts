import type { Average } from "../../core/interfaces/mod.ts";
import { halfLifeBeta } from "../../core/optim/mod.ts";
import { choice, definePlugin, number, optional, text } from "../../core/plugin/mod.ts";

/**
 * Exponential moving average of a role's weights, by half-life.
 *   average ← β·average + (1 − β)·weights,  β = ½^(n / min(halfLife, rampUp·seen))
 * n is the batch and seen the images so far, or 1 and the updates so far. With a ramp-up the untrained weights are soon
 * forgotten. Karras et al. 2022, arXiv:2206.00364, training settings.
 */
export const ema = definePlugin({
  name: "ema",
  kind: "average",
  about: "Exponential moving average of a role's weights, for sampling",
  options: {
    role: text({
      default: "generator",
      about: "whose weights it averages",
    }),
    halfLife: number({ default: 500_000, above: 0, about: "after which a weight counts half" }),
    unit: choice(["images", "updates"], {
      default: "images",
      about: "what halfLife counts: images the role has learned from, or its updates",
    }),
    rampUp: optional(number({ above: 0 }), {
      about: "bounds the half-life by this fraction of the images or updates so far; 0.05 in EDM",
    }),
  },
  create: ({ role, halfLife, unit, rampUp }): Average => ({
    role,
    keep: (update, batch) => halfLifeBeta(update, unit === "images" ? batch : 1, { emaHalfLife: halfLife, rampUp }),
  }),
});
