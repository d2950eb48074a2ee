import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number, text } from "../../core/plugin/mod.ts";
import { Past, shown } from "./shared/past.ts";

const READINGS = 5;

/**
 * A critic that does not know the generator's samples: one that learns nothing is still the teacher, so that the
 * distribution-matching gradient D_fake − D_real is zero; one that falls behind has a loss that grows from its best.
 */
export const criticLag = definePlugin({
  name: "critic-lag",
  kind: "monitor",
  about: "The critic does not follow the generator",
  options: {
    loss: text({ default: "critic/fake-score", about: "the role and the loss by which the critic learns the samples" }),
    gradient: text({ default: "generator/distribution-matching", about: "the loss that it serves" }),
    growth: number({ default: 4, above: 1, about: "how many times its least value so far the critic's loss may have" }),
  },
  create: ({ loss, gradient, growth }): Monitor => ({
    name: "critic-lag",
    begin() {
      const past = new Past(READINGS);
      const served = new Past(READINGS);
      let least = Infinity;
      return ({ values }) => {
        const now = past.take(values[loss]).median;
        const still = served.take(values[gradient]).median === 0;
        if (now < least) least = now;
        if (!still && !(now > growth * least)) return undefined;
        const [role] = loss.split("/");
        return {
          message: still
            ? `the ${role} is still what it began with: ${gradient} is 0`
            : `the ${role} falls behind: ${loss} is ${shown(now)} and was ${shown(least)}`,
          advice: `raise optimizers.${role}.lr or method.ttur.${role}, or lower optimizers.generator.lr`,
        };
      };
    },
  }),
});
