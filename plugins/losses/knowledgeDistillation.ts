import { GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { mean } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { huberDistance, sampleDistances } from "./shared/distillation.ts";
import { pathPointLosses } from "./shared/pathPoints.ts";
import { pairsOption, pathSource } from "./shared/pathSource.ts";

/**
 * Knowledge distillation: from the teacher's noise, or from any of its states, the generator leads to the teacher's sample.
 *   x_i the teacher's state at the generator's level σ_i, x_0 = s_0·z;   i ~ U{0 … n−1} per sample
 *   L = mean ½ d(D_G(x_i; σ_i), y)
 * z, y, x_i [B, …] of a file of `onestep pairs`, or of the teacher's sampler on new noise in every update → scalar. Gradient to
 * the generator only. Luhman & Luhman 2021, arXiv:2101.02388; several steps as in NVIDIA's FastGen.
 */
export const knowledgeDistillation = definePlugin({
  name: "knowledge-distillation",
  kind: "loss",
  about: "Leads from the teacher's noise and states to the teacher's sample",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    pairs: pairsOption,
    distance: choice(["l2", "l1", "huber"], {
      default: "l2",
      about: "mean square, absolute difference, or Huber's between them",
    }),
    huberC: number({ default: 1e-3, above: 0, about: "c of Huber's distance" }),
  },
  create({ weight, pairs, distance, huberC }, container): Loss {
    const { sigmas: levels } = container.get(GENERATOR);
    const far = distance === "huber" ? huberDistance(huberC) : sampleDistances[distance];
    const { path, ...source } = pathSource("knowledge-distillation", pairs, levels, container);
    return {
      name: "knowledge-distillation",
      role: "generator",
      weight,
      ...source,
      compute(context) {
        const { generator, teacher, noise } = context;
        const { y, points, condition } = path(context, () => teacher);
        const index = levels.length > 1 ? noise.integers(y.shape[0], 0, levels.length) : undefined;
        return mean(pathPointLosses({ points, levels, index, y, condition }, generator, far));
      },
    };
  },
});
