import type { Monitor } from "../../core/interfaces/mod.ts";
import { definePlugin, list, number, text } from "../../core/plugin/mod.ts";
import { shown } from "./shared/past.ts";

/** Judgings over which both are compared. */
const SPAN = 3;

/**
 * A distance that falls while diversity falls: samples come nearer to the data by becoming alike, as a generator does that learns
 * to please a discriminator with a few modes. Seen where the learner is judged on a schedule, `train.evaluateEvery`.
 */
export const diversity = definePlugin({
  name: "diversity",
  kind: "monitor",
  about: "A distance gets better while samples get less diverse, by numbers that are judged on a schedule",
  options: {
    distances: list(text(), {
      default: ["fid", "fd-dinov2", "cmmd", "mind", "kid", "sfid", "patch-fid", "frechet", "sw"],
      about: "numbers of metrics that are distances to the data",
    }),
    diversities: list(text(), {
      default: ["judged/recall", "judged/coverage", "samples/class-distance", "samples/distance"],
      about: "numbers that are larger where samples are more diverse",
    }),
    fall: number({
      default: 0.15,
      above: 0,
      max: 1,
      about: "part of the diversity that must be lost over three judgings",
    }),
  },
  create: ({ distances, diversities, fall }): Monitor => ({
    name: "diversity",
    begin() {
      /** Of the last judgings, the newest last. */
      const seen: Readonly<Record<string, number>>[] = [];
      let found: ReturnType<ReturnType<Monitor["begin"]>>;
      return ({ values }) => {
        // Between two judgings what was found goes on.
        if (!distances.some((name) => Number.isFinite(values[`judged/${name}`]))) return found;
        seen.push(values);
        if (seen.length > SPAN) seen.shift();
        found = undefined;
        if (seen.length < SPAN) return undefined;
        const [first] = seen;
        const falls = (name: string) => seen.every((each, i) => i === 0 || each[name] < seen[i - 1][name]);
        const distance = distances.map((name) => `judged/${name}`).find(falls);
        const lost = diversities.find((name) => falls(name) && values[name] < (1 - fall) * first[name]);
        if (distance === undefined || lost === undefined) return undefined;
        const change = (name: string) => `${name} from ${shown(first[name])} to ${shown(values[name])}`;
        found = {
          message: `samples come nearer to the data and become less diverse: over three judgings ${change(distance)}, ${change(lost)}`,
          advice:
            "compare pictures before you trust the distance, keep the best by a number of diversity too, and lower the weights of GAN losses or raise method.ttur.critic",
        };
        return found;
      };
    },
  }),
});
