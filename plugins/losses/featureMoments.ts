import type { Loss } from "../../core/interfaces/mod.ts";
import { add, mul, square, stopGradient, sub, sum } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { keptMoments, momentOptions, momentReader, nextShares } from "./shared/featureMoments.ts";
import { mixedMoments } from "./shared/frechetLoss.ts";

/**
 * Running moments of features, for the critic `feature-moments`.
 *   L = ½ Σ (m − m′)² over all of them, m′ as they are with this batch, which counts 1 − memory of what is known
 * A gradient step of rate 1 (optimizer `gradient-step`) leaves m′. Generated and real x [B, …] → scalar; gradient to the critic only.
 * After the code of Jiawei-Yang/FD-loss, whose running moments are of the generated samples alone.
 */
export const featureMomentsLoss = definePlugin({
  name: "feature-moments",
  kind: "loss",
  about: "Running moments of the features of generated and real samples",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the critic's total; 0 is off" }),
    ...momentOptions,
  },
  create({ weight, ...options }, container): Loss {
    const { read, ...frozen } = momentReader("feature-moments", options, container);
    return {
      name: "feature-moments",
      role: "critic",
      weight,
      ...frozen,
      compute(context) {
        const { generated, real, known } = keptMoments("feature-moments", context.critic);
        const next = nextShares(known, options.memory);
        const moved = (from: Tensor, to: Tensor) => sum(square(sub(from, stopGradient(to))));
        const terms = (["generated", "real"] as const).flatMap((whose) => {
          const kept = { generated, real }[whose];
          const { mean, covariance } = mixedMoments(kept, read(context, context[whose]), next.batch);
          return [moved(kept.mean, mean), moved(kept.covariance, covariance)];
        });
        return mul(
          [...terms, moved(known, next.known)].reduce((total, term) => add(total, term)),
          0.5,
        );
      },
    };
  },
});
