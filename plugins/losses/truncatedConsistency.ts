import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, type Denoiser, GENERATOR, type Loss } from "../../core/interfaces/mod.ts";
import { less, mean, mul, where } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import { drawnLevels } from "./shared/drawnLevels.ts";
import {
  pairBelow,
  pairDistance,
  pairSides,
  pairWeight,
  pairWeights,
  truncatedPair,
} from "./shared/easyConsistency.ts";
import { studentDistribution } from "./shared/quantiles.ts";

/**
 * Truncated consistency: the generator learns levels from `border` on, over the frozen model of an earlier stage below.
 *   ln σ Student's t with `degrees` of freedom, from border to the generator's first level; a share of the samples at border itself
 *   L = mean over the others of w(σ, r)·d + boundary · mean over those at the border of the same
 * w, d and r are those of easy consistency at one ratio; where r is below the border the earlier model says what is held to.
 * x [B, …] real → scalar. Gradient to the generator alone. Lee et al. 2024, TCM, arXiv:2410.14895; numbers as in NVlabs/FastGen.
 */
export const truncatedConsistencyLoss = definePlugin({
  name: "truncated-consistency",
  kind: "loss",
  about: "Easy consistency above a noise level, held to the frozen model of an earlier stage below it",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    border: number({ default: 1, above: 0, about: "lowest level that the generator learns" }),
    share: number({ default: 0.25, above: 0, max: 0.99, about: "share of the samples at the border, drawn for each" }),
    boundary: number({ default: 0.1, min: 0, about: "weight of the samples at the border" }),
    mean: number({ default: 0, about: "mean of ln sigma" }),
    deviation: number({ default: 0.2, above: 0, about: "scale of ln sigma" }),
    degrees: number({ default: 0.01, above: 0, about: "degrees of freedom; few have heavy tails" }),
    floor: number({ default: 0.002, min: 0, about: "lowest level of a pair; 0 is the sample itself" }),
    ratio: number({
      default: 0.999,
      min: 0,
      max: 0.999999,
      about: "how close pairs are, as at the end of the earlier stage",
    }),
    levelWeight: choice(pairWeights, {
      default: "gap",
      about: "how much a pair counts: 1/gap, its root, 1/cOut², 1/sigma², 1",
    }),
    huberC: number({ default: 1e-8, min: 0, about: "c of the distance √(d² + c²) − c; 0 leaves the norm d" }),
  },
  create(options, container): Loss {
    const { border, share, boundary, ratio, floor } = options;
    const { sigmaData } = container.get(DATA_SHAPE);
    const { sigmas } = container.get(GENERATOR);
    if (border >= sigmas[sigmas.length - 1] || border <= floor)
      throw failure(
        "E_OPTION",
        `Cannot configure truncated-consistency: border is ${border}, should be between floor ${floor} and the levels of the generator, ${sigmas.join(", ")}`,
      );
    const levels = drawnLevels(
      studentDistribution(options.degrees, options.mean, options.deviation),
      border,
      sigmas[0],
    );
    return {
      name: "truncated-consistency",
      role: "generator",
      weight: options.weight,
      compute({ real: { x, condition }, role, noise }) {
        const isAtBorder = less(noise.uniform([x.shape[0]]), share);
        const sigma = where(isAtBorder, border, levels(noise, x.shape[0]));
        const eps = noise.normalLike(x);
        const pair = pairBelow(sigma, { ratio, floor });
        const roles = truncatedPair(role<Denoiser>("generator"), role<Denoiser>("earlier"), border);
        const { said, held } = pairSides({ x, eps, condition, ...pair }, roles);
        const far = mul(pairDistance(said, held, options), pairWeight(options.levelWeight, pair, sigmaData));
        return mean(mul(far, where(isAtBorder, boundary / share, 1 / (1 - share))));
      },
    };
  },
});
