import type { Loss } from "../../core/interfaces/mod.ts";
import { sqrt } from "../../core/ops/mod.ts";
import { choice, definePlugin, extractorNeeded, number } from "../../core/plugin/mod.ts";
import { keptMoments, momentOptions, momentReader, nextShares } from "./shared/featureMoments.ts";
import { frechetOfMoments, heldTo, mixedMoments } from "./shared/frechetLoss.ts";

/**
 * The Fréchet distance between features of generated and of real samples, as a loss.
 *   L = |μ − μ_r|² + tr S + tr S_r − 2 tr (S_r^½ S S_r^½)^½,   μ and S those that the critic `feature-moments` knows, with this batch
 * Only this batch carries a gradient. x [B, …] from the generator → scalar. The features are an extractor's, refused without its
 * weights, or the teacher's. Jiawei-Yang/FD-loss; Heusel et al. 2017, arXiv:1706.08500.
 */
export const frechet = definePlugin({
  name: "frechet",
  kind: "loss",
  about: "Fréchet distance of features, generated to real, with running moments",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    power: choice(["distance", "root"], {
      default: "distance",
      about: "the distance, which is a square, or its root, whose gradient does not fade",
    }),
    ...momentOptions,
  },
  needs: extractorNeeded,
  create({ weight, power, ...options }, container): Loss {
    const { read, ...frozen } = momentReader("frechet", options, container);
    return {
      name: "frechet",
      role: "generator",
      weight,
      ...frozen,
      compute(context) {
        const { generated, real, known } = keptMoments("frechet", context.critic);
        const { batch } = nextShares(known, options.memory);
        const now = (whose: "generated" | "real") =>
          mixedMoments({ generated, real }[whose], read(context, context[whose]), batch);
        const distance = frechetOfMoments(now("generated"), heldTo(now("real")));
        return power === "root" ? sqrt(distance) : distance;
      },
    };
  },
});
