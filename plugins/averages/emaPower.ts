import type { Average } from "../../core/interfaces/mod.ts";
import { powerBeta, powerGamma } from "../../core/optim/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";

/**
 * Power-function average of a role's weights, whose memory grows with the run.
 *   average ← β·average + (1 − β)·weights,  β = (1 − 1/t)^(γ + 1) at update t = 1, 2, …
 * γ follows from the width of the profile relative to the run so far. The first update copies the weights.
 * Karras et al. 2023, EDM2, arXiv:2312.02696, section 3.1.
 */
export const emaPower = definePlugin({
  name: "ema-power",
  kind: "average",
  about: "Power-function average of a role's weights, as in EDM2, for sampling",
  options: {
    role: text({
      default: "generator",
      about: "whose weights it averages",
    }),
    width: number({
      default: 0.05,
      above: 0,
      max: 0.28,
      about: "standard deviation of the profile, as a fraction of the run so far; 0.05 or 0.1",
    }),
  },
  create({ role, width }): Average {
    const gamma = powerGamma(width);
    return { role, keep: (update) => powerBeta(update, gamma) };
  },
});
