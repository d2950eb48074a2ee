import { DATA_SHAPE, type Loss } from "../../core/interfaces/mod.ts";
import { mean } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, optional, text } from "../../core/plugin/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { levelWeight, levelWeights } from "./shared/levelWeight.ts";
import { clipped, ddimTo, heunTo } from "./shared/pathSteps.ts";
import { drawnJumps, tractLosses } from "./shared/tract.ts";

/**
 * TRACT: the generator leads from any level of a group to the group's end in one step.
 *   levels 0 and T of a Karras grid; the teacher's steps are T/a levels long, a group T/b
 *   e = (g − 1)·T/b, g ~ U{1 … b};   i = e + T/b − j·T/a, j ~ U{0 … a/b − 1};   x_t = x + σ_i·ε
 *   L = mean w(σ_i) · d(D(x_t; σ_i), sg x̃), x̃ of the teacher's step to i − T/a and the self-teacher's from there to e (tract.ts)
 * T, a, b and the grid are numbers of the stage, which the method gives: `levels`, `teacherSteps`, `steps`, `sigmaMin`,
 * `sigmaMax`, `rho`; `order` 2 is Heun's step of the teacher, 1 DDIM's. x [B, …] real → scalar. Gradient to the generator only.
 * Berthelot et al. 2023, arXiv:2303.04248, Algorithm 1.
 */
export const tractLoss = definePlugin({
  name: "tract",
  kind: "loss",
  about: "Makes the generator lead from any level of a group to the group's end",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    target: text({
      default: "self",
      about: "label of the generator's average that is the self-teacher, as in averages.generator/self",
    }),
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    levelWeight: choice(levelWeights, { default: "karras", about: "how much each level counts" }),
    clip: optional(number({ above: 0 }), {
      about: "bound of what the self-teacher predicts, 1 for pixels; none is off",
    }),
  },
  create({ weight, target, distance, levelWeight: kind, clip }, container): Loss {
    const { sigmaData } = container.get(DATA_SHAPE);
    return {
      name: "tract",
      role: "generator",
      weight,
      compute({ real: { x, condition }, generator, teacher, average, noise, stage }) {
        const { order, ...levels } = drawnJumps(stage, noise, x.shape[0]);
        const losses = tractLosses(
          { x, eps: noise.normalLike(x), condition, ...levels },
          { generator, teacher, selfTeacher: clipped(average("generator", target), clip) },
          {
            distance: sampleDistances[distance],
            weight: levelWeight(kind, levels.sigma, sigmaData),
            step: order === 2 ? heunTo : ddimTo,
          },
        );
        return mean(losses);
      },
    };
  },
});
