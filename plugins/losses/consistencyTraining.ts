import { karrasSigmas } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, GENERATOR, type Loss, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import {
  add,
  constantArray,
  greater,
  mean,
  minimum,
  mul,
  reciprocal,
  reshape,
  sub,
  sum,
  takeRows,
  toFloat,
  toInt,
} from "../../core/ops/mod.ts";
import { choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { consistencyTrainingLosses } from "./shared/consistency.ts";
import { curricula, intervalsAt } from "./shared/curriculum.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { stretchAt } from "./shared/drawnLevels.ts";
import { pairDistance } from "./shared/easyConsistency.ts";
import { levelWeight, levelWeights } from "./shared/levelWeight.ts";
import { normalDistribution } from "./shared/quantiles.ts";

/**
 * Consistency training: from data alone, on a Karras grid whose levels grow in number over train.steps.
 *   x_t = x + σ_i·ε,   x_n = x + σ_{i+1}·ε;   L = mean w · d(f(x_t; σ_i), sg f⁻(x_n; σ_{i+1}))
 * f⁻ is the generator's average with the label `target`, or the generator itself. i is uniform, or drawn as if ln σ were normal.
 * x [B, …] real → scalar. Gradient to the generator only. Song et al. 2023, arXiv:2303.01469, Algorithm 3; iCT: Song & Dhariwal 2023,
 * arXiv:2310.14189: `distance` huber, `levelWeight` gap, `indices` log-normal, `growth` doubling, `target` generator.
 */
export const consistencyTrainingLoss = definePlugin({
  name: "consistency-training",
  kind: "loss",
  about: "Makes the generator give the same sample at neighbouring levels, whose number grows",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    target: text({ default: "target", about: "label of the generator's average it is held to, or `generator` itself" }),
    first: number({ default: 2, min: 1, integer: true, about: "intervals between levels at the start, s0" }),
    last: number({ default: 200, min: 1, integer: true, about: "intervals at the end, s1" }),
    growth: choice(curricula, { default: "root", about: "how they grow: their square evenly, or by doubling" }),
    rho: number({ default: 7, min: 1, about: "bend of the levels; more puts them near the lowest" }),
    indices: choice(["uniform", "log-normal"], { default: "uniform", about: "which levels are drawn" }),
    pMean: number({ default: -1.1, about: "mean of ln sigma; log-normal" }),
    pStd: number({ default: 2, above: 0, about: "standard deviation of ln sigma; log-normal" }),
    distance: choice(["l2", "l1", "huber"], {
      default: "l2",
      about: "mean square or absolute, or Huber's of the norm",
    }),
    huberC: number({ default: 0.00054, above: 0, about: "c of Huber's distance for one number, times √numbers" }),
    levelWeight: choice([...levelWeights, "gap"], {
      default: "uniform",
      about: "how much a level counts; gap is 1/(σ − next)",
    }),
  },
  create(options, container): Loss & CurriculumLoss {
    const { sample, sigmaData } = container.get(DATA_SHAPE);
    const { sigmas, floor } = container.get(GENERATOR);
    const { steps } = container.get(TRAIN_LENGTH);
    const { first, last, growth, rho, target, distance, levelWeight: kind } = options;
    if (!floor)
      throw failure(
        "E_CONFIG",
        "Cannot use consistency-training: the generator has no lowest level, at which it should be its input",
        { fix: "use the generator `consistency`" },
      );
    if (last < first)
      throw failure(
        "E_OPTION",
        `Cannot configure consistency-training: first is ${first} and last ${last}, first should not be above`,
      );
    const updates = Math.max(steps, 1);
    const intervals = (update: number) => intervalsAt(growth, update, { first, last, updates });
    const counts: number[] = [];
    /** Where each number of intervals after the first begins. */
    const starts: number[] = [];
    for (let step = 0; step < updates; step++) {
      const count = intervals(step);
      if (count === counts[counts.length - 1]) continue;
      if (counts.length > 0) starts.push(step);
      counts.push(count);
    }
    const most = Math.max(...counts);
    const normal = normalDistribution(options.pMean, options.pStd);
    const grids = counts.map((count) => karrasSigmas(count + 1, { sigmaMin: floor, sigmaMax: sigmas[0], rho }));
    const padded = (rows: readonly (readonly number[])[], width: number, pad: number) =>
      constantArray(
        rows.flatMap((row) => [...row, ...new Array<number>(width - row.length).fill(pad)]),
        [rows.length, width],
      );
    /** Shares of the draws below which the place is past the first level, the second, … */
    const shares = grids.map((grid) => {
      const [top, ...below] = grid.map((sigma) => normal.cumulative(Math.log(sigma)));
      const whole = top - below[below.length - 1];
      return options.indices === "uniform"
        ? below.slice(1).map((_, i) => (i + 1) / below.length)
        : below.slice(0, -1).map((each) => (top - each) / whole);
    });
    const levels = reshape(padded(grids, most + 1, floor), [counts.length * (most + 1), 1]);
    const bounds = padded(shares, most, 2);
    const c = options.huberC * Math.sqrt(sample.reduce((product, size) => product * size, 1));
    const far =
      distance === "huber" ? (a: Tensor, b: Tensor) => pairDistance(a, b, { huberC: c }) : sampleDistances[distance];
    return {
      name: "consistency-training",
      role: "generator",
      weight: options.weight,
      first,
      last,
      intervals,
      compute({ real: { x, condition }, generator, average, noise }) {
        const [B] = x.shape;
        const row = stretchAt(noise, starts);
        const index = sum(greater(noise.uniform([B, 1]), takeRows(bounds, row)), { axes: [1] });
        const place = add(minimum(index, most - 1), mul(toFloat(row), most + 1));
        const at = (where: Tensor) => reshape(takeRows(levels, toInt(where)), [B]);
        const [sigma, next] = [at(place), at(add(place, 1))];
        const samples = { x, eps: noise.normalLike(x), sigma, next, condition };
        const held = target === "generator" ? generator : average("generator", target);
        const weight = kind === "gap" ? reciprocal(sub(sigma, next)) : levelWeight(kind, sigma, sigmaData);
        return mean(consistencyTrainingLosses(samples, { generator, target: held }, { distance: far, weight }));
      },
    };
  },
});

/** What the average `ema-curriculum` asks: intervals between levels at the start, at the end and at an update. */
interface CurriculumLoss {
  readonly first: number;
  readonly last: number;
  intervals(update: number): number;
}
