import { karrasSigmas, levelTold } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, GENERATOR, type GeneratorNetwork, type Loss, PROCESS } from "../../core/interfaces/mod.ts";
import {
  add,
  constant,
  constantArray,
  exp,
  greater,
  less,
  mean,
  minimum,
  mul,
  pow,
  reshape,
  sub,
  sum,
  takeRows,
  toFloat,
  toInt,
  where,
} from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { sampleDistances } from "./shared/distillation.ts";
import { levelWeight } from "./shared/levelWeight.ts";
import {
  jumpOf,
  jumpWeight,
  jumpWeights,
  noisedPath,
  pullRatio,
  stillSquares,
  trajectorySides,
} from "./shared/trajectoryConsistency.ts";

/** At most so many times does the denoising term count. */
const MOST = 1e4;

/**
 * Consistency along trajectories (shared/trajectoryConsistency.ts), and a denoising term.
 *   k of 1 … `teacherSteps`, P ∝ k^`stepsPower`;   t, u = k levels below, s from u down to the lowest, on a Karras grid of N levels
 *   x_u = k Heun steps of the teacher from x_t = x + t·ε
 *   L = mean w(t, s)·d(G⁻(G(x_t, t, s), s, floor), sg G⁻(G(x_u, u, s), s, floor)) + denoising·a·mean λ(σ)(g(x_σ; σ, σ) − x)²
 * a makes both terms pull at the generator's last layer as strongly. The σ of the second term is log-normal for half of the samples,
 * on the grid's own measure for the others. Each sample draws its own k, where the official code draws one for a batch: the mean
 * is the same, and every update costs all the steps. x [B, …] real → scalar. Gradient to the generator only.
 * Kim et al. 2023, arXiv:2310.02279, Algorithm 1, with the settings of sony/ctm.
 */
export const ctmLoss = definePlugin({
  name: "ctm",
  kind: "loss",
  about: "Makes jumps along the teacher's path agree, wherever they start and end",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    target: text({ default: "target", about: "label of the generator's average that makes the last jumps" }),
    inner: choice(["generator", "average"], { default: "generator", about: "who jumps from where the teacher leads" }),
    levels: number({ default: 18, min: 2, integer: true, about: "noise levels N" }),
    rho: number({ default: 7, min: 1, about: "bend of the levels; more puts them near the lowest" }),
    teacherSteps: number({ default: 17, min: 1, integer: true, about: "most steps of the teacher, below levels" }),
    drawsSteps: boolean({ default: true, about: "whether fewer steps are drawn too; all are taken always if not" }),
    stepsPower: number({ default: 1, min: 0, about: "p of P(k) ~ k^p, by which they are drawn; 0 is uniform" }),
    ends: choice(["uniform", "lowest"], { default: "uniform", about: "where jumps end: anywhere, or at the lowest" }),
    distance: choice(["l2", "l1"], { default: "l2", about: "mean square or absolute difference" }),
    jumpWeight: choice(jumpWeights, { default: "uniform", about: "how much each jump counts" }),
    jumpPower: number({ default: 1, min: 0, about: "power of that weight; length only" }),
    denoising: number({ default: 1, min: 0, about: "factor of the denoising term; 0 is off" }),
    adaptive: boolean({ default: true, about: "whether the denoising term is balanced by gradients" }),
    pMean: number({ default: -1.2, about: "mean of ln sigma; denoising" }),
    pStd: number({ default: 1.2, min: 0, about: "standard deviation of ln sigma; denoising" }),
    reach: number({ default: 0.7, min: 0, max: 1, about: "share of the grid, from the highest level; denoising" }),
  },
  create(options, container): Loss {
    const { sigmaData } = container.get(DATA_SHAPE);
    const process = container.get(PROCESS);
    const { sigmas, floor } = container.get(GENERATOR);
    const { levels, rho, teacherSteps: most, stepsPower, denoising, jumpPower } = options;
    if (!floor)
      throw failure(
        "E_CONFIG",
        "Cannot use ctm: the generator has no lowest level, it should be told where jumps end",
        { fix: "use the generator `ctm`" },
      );
    if (most >= levels)
      throw failure("E_OPTION", `Cannot configure ctm: teacherSteps is ${most}, should be below levels ${levels}`);
    const grid = constantArray(karrasSigmas(levels, { sigmaMin: floor, sigmaMax: sigmas[0], rho }), [levels, 1]);
    const told = (level: Tensor) => levelTold(process, level);
    /** Shares of the draws below which there are 1, 2, … steps of the teacher. */
    const shares = Array.from({ length: most }, (_, i) => (i + 1) ** stepsPower);
    const total = shares.reduce((sum, share) => sum + share, 0);
    const bounds = shares.slice(1).map((_, i) => shares.slice(0, i + 1).reduce((sum, share) => sum + share, 0) / total);
    return {
      name: "ctm",
      role: "generator",
      weight: options.weight,
      compute({ real: { x, condition }, role, teacher, average, noise }) {
        const generator = role<GeneratorNetwork & { lastWeight?(): Tensor }>("generator");
        if (!generator.lastWeight)
          throw failure("E_CONFIG", "Cannot use ctm: the generator is not told where a jump ends, it should be", {
            fix: "use the generator `ctm`",
          });
        const [B] = x.shape;
        const eps = noise.normalLike(x);
        const steps =
          !options.drawsSteps || most === 1
            ? constant(most, "f32", [B])
            : add(sum(greater(noise.uniform([B, 1]), constantArray(bounds, [1, most - 1])), { axes: [1] }), 1);
        /** A place from 0 to below `count`, [B]: float32 may round up to it. */
        const below = (count: Tensor) => minimum(toFloat(toInt(mul(noise.uniform([B]), count))), sub(count, 1));
        const start = below(sub(levels, steps));
        const reachedAt = add(start, steps);
        const end =
          options.ends === "lowest" ? constant(levels - 1, "f32", [B]) : add(reachedAt, below(sub(levels, reachedAt)));
        const at = (place: Tensor) => reshape(takeRows(grid, toInt(minimum(place, levels - 1))), [B]);
        const [from, through, to] = [at(start), at(reachedAt), at(end)];
        const { noisy, reached } = noisedPath(teacher, {
          x,
          eps,
          levels: Array.from({ length: most + 1 }, (_, j) => at(add(start, j))),
          steps,
          condition,
        });
        const own = jumpOf(generator, told);
        const held = jumpOf(average("generator", options.target), told);
        const trajectory = { from, through, to, floor: constant(floor, "f32", [B]), x: noisy, reached, condition };
        const target = options.inner === "generator" ? own : held;
        const sides = trajectorySides(trajectory, { generator: own, target, outer: held });
        const counts = jumpWeight(options.jumpWeight, from, to, sigmaData);
        const power = options.jumpWeight === "length" ? pow(counts, jumpPower) : counts;
        const consistency = mean(mul(sampleDistances[options.distance](sides.estimate, sides.target), power));
        if (denoising === 0) return consistency;
        const [high, low] = [sigmas[0], floor].map((level) => level ** (1 / rho));
        const logNormal = exp(add(mul(noise.normal([B]), options.pStd), options.pMean));
        const onGrid = pow(add(mul(noise.uniform([B]), options.reach * (low - high)), high), rho);
        const sigma = where(less(noise.uniform([B]), 0.5), logNormal, onGrid);
        const samples = { x, eps: noise.normalLike(x), sigma, condition };
        const still = mean(stillSquares(generator, samples, told, levelWeight("karras", sigma, sigmaData)));
        const balance = options.adaptive ? pullRatio(consistency, still, generator.lastWeight(), MOST) : 1;
        return add(consistency, mul(still, mul(balance, denoising)));
      },
    };
  },
});
