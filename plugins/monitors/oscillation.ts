import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { calming, Past, shown } from "./shared/past.ts";

/** Readings over which the median is taken, and that pass before the first: samples that are still being found move a lot. */
const [READINGS, BEFORE] = [5, 2];

/**
 * Samples that go to and fro instead of settling: swing = moved · √((1 − turned)/2), the part of the move between two readings
 * that undoes the one before, in deviations of the data; the median of five readings.
 */
export const oscillation = definePlugin({
  name: "oscillation",
  kind: "monitor",
  about: "Samples of the same noise swing to and fro: learning rates too high, or a critic that is chased",
  options: {
    most: number({ default: 0.26, above: 0, about: "swing between two readings, in deviations of the data" }),
  },
  create: ({ most }): Monitor => ({
    name: "oscillation",
    begin() {
      const past = new Past(READINGS);
      let seen = 0;
      return ({ values }) => {
        const { "samples/moved": moved, "samples/turned": turned } = values;
        if (turned === undefined || seen++ < BEFORE) return undefined;
        const swing = past.take(moved * Math.sqrt((1 - turned) / 2)).median;
        if (!(swing > most)) return undefined;
        return {
          message: `samples of the same noise swing by ${shown(swing)} deviations of the data from reading to reading, at most ${most} is steady`,
          advice: calming(values),
        };
      };
    },
  }),
});
