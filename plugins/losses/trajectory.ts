import { failure } from "../../core/errors.ts";
import { type Condition, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { add, mean, mul } from "../../core/ops/mod.ts";
import { choice, definePlugin, list, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { pairsOption, pathSource } from "./shared/pathSource.ts";

/**
 * Trajectory distillation: the generator gives every point of the teacher's path in one call.
 *   L = mean ½ Σ_m λ_m d(x_G(σ_m), x_teacher(σ_m)),  the last point being the sample
 * Without points between noise and sample it is knowledge distillation. Paths [B, …] are those of a file of `onestep pairs --levels`, or
 * of the run's sampler on new noise in every update → scalar. Gradient to the generator only. Needs the generator `operator`.
 * Zheng et al. 2022, DFNO, arXiv:2211.13449.
 */
export const trajectory = definePlugin({
  name: "trajectory",
  kind: "loss",
  about: "Holds all points of the generator's path to the teacher's",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    pairs: pairsOption,
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    pointWeights: list(number({ min: 0 }), {
      default: [],
      about: "how much each point counts, the sample last; by default 1 for all",
    }),
  },
  create({ weight, pairs, distance, pointWeights }, container): Loss {
    const { sigmas, levels } = container.get(GENERATOR) as { sigmas: readonly number[]; levels?: readonly number[] };
    if (!levels)
      throw failure("E_CONFIG", "Cannot use trajectory: the generator gives one point of the path, expected all", {
        fix: "use the generator `operator`",
      });
    const count = levels.length + 1;
    const weights = pointWeights.length > 0 ? pointWeights : new Array<number>(count).fill(1);
    if (weights.length !== count)
      throw failure(
        "E_OPTION",
        `Cannot configure trajectory: there are ${weights.length} pointWeights, expected ${count}: one for each of generator.levels, and one for the sample`,
      );
    const far = sampleDistances[distance];
    const { path, ...source } = pathSource("trajectory", pairs, [...sigmas, ...levels], container);
    return {
      name: "trajectory",
      role: "generator",
      weight,
      ...source,
      compute(context) {
        const { z, points, y, condition } = path(context, () => context.teacher);
        const said = context.role<Trajectories>("generator").trajectory(z, condition);
        const known = [...points.slice(1), y];
        const terms = said.map((each, m) => mul(mean(far(each, known[m])), weights[m] / 2));
        return terms.reduce((sum, term) => add(sum, term));
      },
    };
  },
});

/** What the generator `operator` has besides samples: the states of its path at its levels, and the sample. */
interface Trajectories {
  trajectory(eps: Tensor, condition: Condition): Tensor[];
}
