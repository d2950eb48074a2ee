import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { calming, Past, shown } from "./shared/past.ts";

const READINGS = 3;

/** Samples whose elements lie beyond what real ones reach: pixels that are burnt out, points far away. */
export const saturation = definePlugin({
  name: "saturation",
  kind: "monitor",
  about: "Many elements of samples lie beyond the range of the data",
  options: {
    most: number({ default: 0.07, min: 0, max: 1, about: "share of elements beyond the data's range and 5 % of it" }),
  },
  create: ({ most }): Monitor => ({
    name: "saturation",
    begin() {
      const past = new Past(READINGS);
      return ({ values }) => {
        const share = past.take(values["samples/outside"]).median;
        if (!(share > most)) return undefined;
        return {
          message: `${shown(100 * share)} % of the elements of samples lie beyond the range of the data, at most ${shown(100 * most)} % should`,
          advice: calming(values),
        };
      };
    },
  }),
});
