import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { calming, Past, shown } from "./shared/past.ts";

const READINGS = 3;

/** Samples that as a whole are brighter or darker than the data, or of another contrast; for points, that lie elsewhere. */
export const brightness = definePlugin({
  name: "brightness",
  kind: "monitor",
  about: "Mean or deviation of samples is not that of the data",
  options: {
    shift: number({ default: 0.35, above: 0, about: "largest difference of the means, in deviations of the data" }),
    low: number({ default: 0.6, min: 0, about: "least contrast, that of the data being 1" }),
    high: number({ default: 1.4, min: 0, about: "highest contrast" }),
    after: number({ default: 0.2, min: 0, max: 1, about: "part of the stage after which they are expected" }),
  },
  create: ({ shift, low, high, after }): Monitor => ({
    name: "brightness",
    begin() {
      const means = new Past(READINGS);
      const contrasts = new Past(READINGS);
      return ({ step, steps, values }) => {
        const mean = means.take(values["samples/brightness"]).median;
        const contrast = contrasts.take(values["samples/contrast"]).median;
        const far = Math.abs(mean) > shift;
        if (step < after * steps || !(far || contrast < low || contrast > high)) return undefined;
        return {
          message: far
            ? `the mean of samples is ${shown(mean)} deviations off that of the data, at most ${shift} is usual`
            : `the contrast of samples is ${shown(contrast)} times that of the data, ${low} to ${high} is usual`,
          advice: `${calming(values)}; a steady shift may come from a teacher that is not trained enough`,
        };
      };
    },
  }),
});
