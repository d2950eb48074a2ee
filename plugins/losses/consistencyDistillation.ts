import { karrasSigmas } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { add, constantArray, mean, reshape, takeRows } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { consistencyLosses } from "./shared/consistency.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { levelWeight, levelWeights } from "./shared/levelWeight.ts";

/**
 * Consistency distillation.
 *   i ~ U{0 … N−2} on a Karras grid of N levels, from the generator's highest to its lowest
 *   x_t = x + σ_i·ε,   x_n = Heun's step of the teacher from σ_i to σ_{i+1}
 *   L = mean w(σ_i) · d(f(x_t; σ_i), sg f⁻(x_n; σ_{i+1})),   f⁻ the generator's average with the label `target`
 * x [B, …] real → scalar. Gradient to the generator only. Song et al. 2023, arXiv:2303.01469, Algorithm 2.
 */
export const consistencyDistillation = definePlugin({
  name: "consistency-distillation",
  kind: "loss",
  about: "Makes the generator give the same sample at both ends of a teacher's step",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    target: text({
      default: "target",
      about: "label of the generator's average that it is held to, as in averages.generator/target",
    }),
    levels: number({ default: 40, min: 2, integer: true, about: "noise levels N" }),
    rho: number({
      default: 7,
      min: 1,
      about: "bend of the levels; more puts them near the lowest",
    }),
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    levelWeight: choice(levelWeights, { default: "uniform", about: "how much each level counts" }),
  },
  create({ weight, target, levels, rho, distance, levelWeight: kind }, container): Loss {
    const { sigmaData } = container.get(DATA_SHAPE);
    const { sigmas, floor } = container.get(GENERATOR);
    if (!floor)
      throw failure(
        "E_CONFIG",
        "Cannot use consistency-distillation: the generator has no lowest level, at which it should be its input",
        { fix: "use the generator `consistency`" },
      );
    const bounds = { sigmaMin: floor, sigmaMax: sigmas[0], rho };
    const grid = constantArray(karrasSigmas(levels, bounds), [levels, 1]);
    return {
      name: "consistency-distillation",
      role: "generator",
      weight,
      compute({ real: { x, condition }, generator, teacher, average, noise }) {
        const [B] = x.shape;
        const index = noise.integers(B, 0, levels - 1);
        const at = (place: Tensor) => reshape(takeRows(grid, place), [B]);
        const [sigma, next] = [at(index), at(add(index, 1))];
        const eps = noise.normalLike(x);
        const roles = { generator, target: average("generator", target), teacher };
        const losses = consistencyLosses({ x, eps, sigma, next, condition }, roles, {
          distance: sampleDistances[distance],
          weight: levelWeight(kind, sigma, sigmaData),
        });
        return mean(losses);
      },
    };
  },
});
