import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, type Denoiser, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { constantArray, mean, mul, reshape, takeRows } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import { growingRatio } from "./shared/curriculum.ts";
import { drawnLevels, stretchAt } from "./shared/drawnLevels.ts";
import { pairBelow, pairDistance, pairSides, pairWeight, pairWeights } from "./shared/easyConsistency.ts";
import { normalDistribution } from "./shared/quantiles.ts";

/**
 * Easy consistency tuning: a denoiser gives the same sample at any level and at a lower one, which comes closer over the run.
 *   ln σ ~ N(pMean, pStd²) up to the generator's first level;   r = σ − (1 − ratio)(1 + 8/(1 + e^σ))·σ, at least `floor`
 *   ratio = 1 − factor^−(1 + stages so far), at most `limit`
 *   L = mean w(σ, r)·d(D(x + σ·ε; σ), sg D(x + r·ε; r)),   or with x_r from Euler's step of the teacher
 * x [B, …] real → scalar. Gradient to `role` alone. Geng et al. 2024, arXiv:2406.14548; numbers of NVlabs/FastGen for CIFAR-10.
 */
export const easyConsistencyLoss = definePlugin({
  name: "easy-consistency",
  kind: "loss",
  about: "Makes a denoiser give the same sample at pairs of levels that come together over the run",
  options: {
    role: text({ default: "generator", about: "who learns from it, a denoiser" }),
    weight: number({ default: 1, min: 0, about: "factor in the role's total; 0 is off" }),
    teacher: boolean({ default: false, about: "whether the teacher's Euler step leads down, in place of the sample" }),
    pMean: number({ default: -1.1, about: "mean of ln sigma" }),
    pStd: number({ default: 2, above: 0, about: "standard deviation of ln sigma" }),
    sigmaMin: number({ default: 0.002, above: 0, about: "lowest level that is drawn" }),
    floor: number({ default: 0.002, min: 0, about: "lowest level of a pair; 0 is the sample itself" }),
    factor: number({ default: 2, above: 1, about: "by which the gap of a pair shrinks from stage to stage" }),
    limit: number({ default: 0.999, min: 0, max: 0.999999, about: "highest ratio" }),
    each: number({ default: 12_500, min: 1, integer: true, about: "updates of a stage" }),
    levelWeight: choice(pairWeights, {
      default: "gap",
      about: "how much a pair counts: 1/gap, its root, 1/cOut², 1/sigma², 1",
    }),
    huberC: number({ default: 1e-8, min: 0, about: "c of the distance √(d² + c²) − c; 0 leaves the norm d" }),
    squared: boolean({ default: false, about: "whether d² is the distance, where huberC is 0" }),
  },
  create(options, container): Loss {
    const { role: name, floor, each, huberC, squared } = options;
    const { sigmaData } = container.get(DATA_SHAPE);
    const [highest] = container.get(GENERATOR).sigmas;
    if (options.sigmaMin >= highest)
      throw failure(
        "E_OPTION",
        `Cannot configure easy-consistency: sigmaMin is ${options.sigmaMin}, should be below ${highest}, the generator's first level`,
      );
    if (squared && huberC > 0)
      throw failure("E_OPTION", `Cannot configure easy-consistency: squared with huberC ${huberC}, should be with 0`, {
        fix: "set losses.easy-consistency.huberC=0",
      });
    const levels = drawnLevels(normalDistribution(options.pMean, options.pStd), options.sigmaMin, highest);
    const ratios = ratiosOf(options);
    const starts = ratios.slice(1).map((_, i) => (i + 1) * each);
    return {
      name: "easy-consistency",
      role: name,
      weight: options.weight,
      compute({ real: { x, condition }, role, noise }) {
        const sigma = levels(noise, x.shape[0]);
        const eps = noise.normalLike(x);
        const ratio = reshape(takeRows(constantArray(ratios, [ratios.length, 1]), stretchAt(noise, starts)), [1]);
        const pair = pairBelow(sigma, { ratio, floor });
        const learner = role<Denoiser>(name);
        const sides = pairSides(
          { x, eps, condition, ...pair },
          { generator: learner, target: learner, ...(options.teacher && { teacher: role<Denoiser>("teacher") }) },
        );
        const far = pairDistance(sides.said, sides.held, { huberC, squared });
        return mean(mul(far, pairWeight(options.levelWeight, pair, sigmaData)));
      },
    };
  },
});

/** The ratio of every stage until it stays at its limit. */
function ratiosOf(options: Parameters<typeof growingRatio>[1]): number[] {
  const ratios = [growingRatio(0, options)];
  while (ratios[ratios.length - 1] < options.limit) ratios.push(growingRatio(ratios.length * options.each, options));
  return ratios;
}
