import { karrasSigmas } from "../../core/diffusion/mod.ts";
import { DATA_SHAPE, type Loss } from "../../core/interfaces/mod.ts";
import { mean } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { drawnScale, guidedByScale } from "./shared/guidance.ts";
import { guidedMatchingLosses } from "./shared/guidedMatching.ts";
import { levelWeight, levelWeights } from "./shared/levelWeight.ts";
import { halvedLevels, progressiveLosses } from "./shared/progressive.ts";

/** Levels that the first stage draws from. */
const LEVELS = 1000;

/**
 * Guided distillation, w ~ U[guidanceMin, guidanceMax] of the generator per sample, told to it.
 *   first stage    L = mean ω(σ) · d(D(x_t; σ, c, w), sg[D_∅ + w·(D_c − D_∅)]),  σ of a Karras grid, D_c and D_∅ the teacher's
 *   rounds         L of progressive distillation, with w told to the generator and to the role `former`, that of the round before
 * A round is a stage with a number of `steps`; all stages have `sigmaMin`, `sigmaMax` and `rho`, which the method gives. The teacher
 * brings no guidance of its own. x [B, …] real → scalar. Gradient to the generator only. Meng et al. 2022, arXiv:2210.03142,
 * Algorithms 1 and 2; the range of w is ours.
 */
export const guidedDistillationLoss = definePlugin({
  name: "guided-distillation",
  kind: "loss",
  about: "Makes the generator say what its guided teacher says, then halves its steps",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    levelWeight: choice(levelWeights, { default: "truncated-snr", about: "how much each level counts" }),
  },
  create({ weight, distance, levelWeight: kind }, container): Loss {
    const shape = container.get(DATA_SHAPE);
    const scale = drawnScale("guided-distillation", container);
    return {
      name: "guided-distillation",
      role: "generator",
      weight,
      heeds: ["guidance"],
      compute({ real: { x, condition: asked }, generator, role, noise, stage }) {
        const [B] = x.shape;
        const condition = { ...asked, ...scale(noise, B) };
        const given = { x, eps: noise.normalLike(x), condition };
        const { steps, sigmaMin, sigmaMax, rho } = stage.numbers ?? {};
        const options = (sigma: typeof x) => ({
          distance: sampleDistances[distance],
          weight: levelWeight(kind, sigma, shape.sigmaData),
        });
        if (steps) {
          const samples = { ...given, ...halvedLevels("guided-distillation", stage, noise, B) };
          return mean(progressiveLosses(samples, { generator, teacher: role("former") }, options(samples.sigma)));
        }
        const sigma = noise.fromGrid(karrasSigmas(LEVELS, { sigmaMin, sigmaMax, rho }), B);
        const teacher = guidedByScale(role("teacher"), shape.condition);
        return mean(guidedMatchingLosses({ ...given, sigma }, { generator, teacher }, options(sigma)));
      },
    };
  },
});
