import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { Past, shown } from "./shared/past.ts";

const READINGS = 3;
/** What is looked at, and how it is called. */
const KINDS = {
  "samples/distance": "samples are",
  "samples/class-distance": "samples of one class are",
} as const;

/**
 * Samples that are all alike, or all alike within their class: √mean ‖x_i − x_j‖² over pairs, beside that of real samples. At the
 * start of a distillation they are; a while later, or once they have been apart, they should not be.
 */
export const collapse = definePlugin({
  name: "collapse",
  kind: "monitor",
  about: "Samples are all alike, or all alike within a class",
  options: {
    least: number({ default: 0.4, min: 0, about: "distance between samples that is expected, real samples having 1" }),
    fall: number({ default: 0.5, min: 0, max: 1, about: "what must stay of the largest distance so far" }),
    after: number({ default: 0.2, min: 0, max: 1, about: "part of the stage after which the distance is expected" }),
  },
  create: ({ least, fall, after }): Monitor => ({
    name: "collapse",
    begin() {
      const pasts = new Map(Object.keys(KINDS).map((name) => [name, new Past(READINGS)]));
      const best = new Map<string, number>();
      return ({ step, steps, values }) => {
        for (const [name, subject] of Object.entries(KINDS)) {
          const distance = pasts.get(name)!.take(values[name]).median;
          const top = Math.max(best.get(name) ?? 0, distance || 0);
          best.set(name, top);
          const fallen = distance < fall * top && distance < 2 * least;
          if (!fallen && !(distance < least && step >= after * steps)) continue;
          const instead = fallen ? `, and were ${shown(top)}` : "";
          return {
            message: `${subject} ${shown(distance)} times as far apart as real ones${instead}: they collapse`,
            advice:
              "see that the critic learns (optimizers.critic.lr, method.ttur.critic), lower the generator's rate or the weights of GAN losses, and go on from a checkpoint before this step",
            severe: true,
          };
        }
        return undefined;
      };
    },
  }),
});
