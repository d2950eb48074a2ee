/** Consistency along whole trajectories: a generator that is told where a jump ends. */
import { addNoise, perSample } from "../../../core/diffusion/mod.ts";
import { grad } from "../../../core/graph/mod.ts";
import type { Condition, Denoiser } from "../../../core/interfaces/mod.ts";
import {
  add,
  div,
  greater,
  minimum,
  mul,
  reciprocal,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  where,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { levelWeight } from "./levelWeight.ts";
import { eulerTo, heunTo } from "./pathSteps.ts";

/** Leads from a level to a lower one: x [B, …], levels [B] → [B, …]. */
export type Jump = (x: Tensor, from: Tensor, to: Tensor, condition: Condition) => Tensor;

/**
 * G(x, t, s) = (s/t)·x + (1 − s/t)·g(x; t, s), of a denoiser g that is told the end of the jump, and the clean sample at s = 0.
 * @param told the entry `end` for a level, as the network is told levels
 * Kim et al. 2023, CTM, arXiv:2310.02279, Eq. 9.
 */
export const jumpOf =
  ({ denoise }: Denoiser, told: (level: Tensor) => Tensor): Jump =>
  (x, from, to, condition) =>
    eulerTo(x, denoise(x, from, { ...condition, end: told(to) }), from, to);

/**
 * The path of samples that each take a number of steps of their own, at most one less than there are levels; at every step the
 * teacher is called for all of them. x, eps [B, …], steps and levels [B] → x in the noise of the first level, and where it leads.
 */
export function noisedPath(
  teacher: Denoiser,
  {
    x,
    eps,
    levels,
    steps,
    condition,
  }: {
    readonly x: Tensor;
    readonly eps: Tensor;
    readonly levels: readonly Tensor[];
    readonly steps: Tensor;
    readonly condition: Condition;
  },
): { readonly noisy: Tensor; readonly reached: Tensor } {
  const noisy = addNoise(x, levels[0], eps);
  const many = perSample(steps, x.shape.length);
  const reached = levels.slice(1).reduce((at, next, i) => {
    const stepped = heunTo(teacher, at, { sigma: levels[i], next, condition });
    return where(greater(many, i), stepped, at);
  }, noisy);
  return { noisy, reached: stopGradient(reached) };
}

/** Where jumps start and end, all [B]: `from` above `through`, which the teacher reaches, above or at `to`, above or at `floor`. */
export interface Trajectory {
  readonly from: Tensor;
  readonly through: Tensor;
  readonly to: Tensor;
  readonly floor: Tensor;
  /** The sample at `from`, and where the teacher leads it at `through`, [B, …]. */
  readonly x: Tensor;
  readonly reached: Tensor;
  readonly condition: Condition;
}

/** Whose jumps they are. */
export interface TrajectoryRoles {
  readonly generator: Jump;
  /** Jumps from where the teacher leads; the generator's own by default. */
  readonly target?: Jump;
  /** Jumps on to the floor, where both sides are compared: an average of the generator. */
  readonly outer: Jump;
}

/**
 * Both sides of the loss: the same sample at the floor, whether the generator jumps all the way or after the teacher's steps.
 *   estimate = G⁻(G(x, t, s), s, ε);   target = sg G⁻(G(x_u, u, s), s, ε)
 * The estimate's gradient passes through the outer jump. Kim et al. 2023, arXiv:2310.02279, Eq. 13; order as in the official code.
 */
export function trajectorySides(
  { x, reached, from, through, to, floor, condition }: Trajectory,
  { generator, target = generator, outer }: TrajectoryRoles,
): { readonly estimate: Tensor; readonly target: Tensor } {
  const onward = (at: Tensor) => outer(at, to, floor, condition);
  return {
    estimate: onward(generator(x, from, to, condition)),
    target: stopGradient(onward(target(reached, through, to, condition))),
  };
}

/** How much a jump counts. */
export const jumpWeights = ["uniform", "karras", "length", "root-level"] as const;
export type JumpWeight = (typeof jumpWeights)[number];

/** 1, σ⁻² + σd⁻² at the start, 1/(1 − s/t) or √t. from, to [B] → [B]. */
export function jumpWeight(weight: JumpWeight, from: Tensor, to: Tensor, sigmaData: number): Tensor {
  if (weight === "length") return reciprocal(sub(1, div(to, from)));
  if (weight === "root-level") return sqrt(from);
  return levelWeight(weight, from, sigmaData);
}

/**
 * How much another term has to count to pull at a tensor as strongly as a first one does: ‖∂first/∂w‖/(‖∂other/∂w‖ + 10⁻⁴), at most
 * `most`. No gradient passes it. Esser et al. 2021, arXiv:2012.09841, Eq. 7.
 */
export function pullRatio(first: Tensor, other: Tensor, w: Tensor, most: number): Tensor {
  const norm = (loss: Tensor) => sqrt(sum(square(grad(loss, [w])[0])));
  return stopGradient(minimum(div(norm(first), add(norm(other), 1e-4)), most));
}

/** λ(σ)·(g(x + σ·ε; σ, σ) − x)², elementwise, λ = (σ² + σd²)/(σ·σd)²: a jump of no length is the denoiser. sigma, weight [B]. */
export function stillSquares(
  generator: Denoiser,
  {
    x,
    eps,
    sigma,
    condition,
  }: { readonly x: Tensor; readonly eps: Tensor; readonly sigma: Tensor; readonly condition: Condition },
  told: (level: Tensor) => Tensor,
  weight: Tensor,
): Tensor {
  const at = (values: Tensor) => perSample(values, x.shape.length);
  const noisy = add(x, mul(at(sigma), eps));
  const said = generator.denoise(noisy, sigma, { ...condition, end: told(sigma) });
  return mul(at(weight), square(sub(said, x)));
}
