import { isLoss, type Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { Past, shown } from "./shared/past.ts";

const READINGS = 5;

/** Losses that have risen far above the least they were: medians of five readings. */
export const losses = definePlugin({
  name: "losses",
  kind: "monitor",
  about: "A loss has risen far above what it was",
  options: {
    growth: number({ default: 6, above: 1, about: "how many times its least value so far a loss may have" }),
  },
  create: ({ growth }): Monitor => ({
    name: "losses",
    begin() {
      const pasts = new Map<string, Past>();
      const least = new Map<string, number>();
      return ({ values }) => {
        for (const [name, value] of Object.entries(values)) {
          const [role, loss] = name.split("/");
          if (role === "samples" || !isLoss(loss)) continue;
          const past = pasts.get(name) ?? new Past(READINGS);
          pasts.set(name, past);
          const now = past.take(value).median;
          const best = least.get(name) ?? Infinity;
          if (best > 0 && now > growth * best)
            return {
              message: `the loss ${loss} of the ${role} is ${shown(now)} and was ${shown(best)}`,
              advice: `lower optimizers.${role}.lr, and go on from a checkpoint before it rose`,
            };
          if (now < best) least.set(name, now);
        }
        return undefined;
      };
    },
  }),
});
