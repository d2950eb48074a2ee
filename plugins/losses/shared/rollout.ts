/** Few-step generation along a flow, of which the first step is held to the teacher and the others learn the distribution. */
import { type FlowNetwork, shiftTime } from "../../../core/diffusion/mod.ts";
import type { Condition } from "../../../core/interfaces/mod.ts";
import { add, constant, div, mul, stopGradient, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { PathState } from "./teacherPath.ts";

/**
 * Times at which an Euler sampler of a flow stops, from 1 to 0, `steps` + 1 of them: even between 1 and the least of 1,000, then
 * moved towards noise. The least has been moved before, as the scheduler of huggingface/diffusers does it.
 */
export function flowTimes(steps: number, shift: number): number[] {
  const least = shiftTime(1e-3, shift);
  const even = (i: number) => (steps === 1 ? 1 : 1 + (i / (steps - 1)) * (least - 1));
  return [...Array.from({ length: steps }, (_, i) => shiftTime(even(i), shift)), 0];
}

/** Where Euler steps lead. */
export interface FlowEnd {
  /** [B, …] */
  readonly x: Tensor;
  /** The velocity of the first step, [B, …]. */
  readonly first: Tensor;
}

/**
 * Euler steps x ← x + (t' − t)·v(x; t) over `times`, from x [B, …] at the first of them.
 * @param cut whether no gradient flows back through the first step: then it alone decides what its velocity learns
 */
export function flowSteps(
  velocity: FlowNetwork,
  times: readonly number[],
  start: Tensor,
  condition: Condition,
  cut = false,
): FlowEnd {
  const move = (x: Tensor, i: number) => {
    const v = velocity(x, constant(times[i], "f32", [start.shape[0]]), condition);
    return { v, x: add(x, mul(v, times[i + 1] - times[i])) };
  };
  const { v: first, x: second } = move(start, 0);
  let x = cut ? stopGradient(second) : second;
  for (let i = 1; i < times.length - 1; i++) x = move(x, i).x;
  return { x, first };
}

/**
 * What a first step should be that keeps the teacher's diversity: the straight way to where the teacher is after some of its steps.
 *   v = (x − z)/(t − t_k),   z the teacher's x at t_k, from x at t
 * DP-DMD: Multimedia-Analytics-Laboratory/dpdmd. x, z [B, …] → [B, …].
 */
export const straightVelocity = (x: Tensor, z: Tensor, time: number, end: number): Tensor => div(sub(x, z), time - end);

/**
 * The same as a prediction of the clean sample, of states x0 + σ·ε: where a straight step from x at σ would have to aim to come to
 * `end`. [B, …] → [B, …].
 */
export const anchored = (x: Tensor, end: PathState, sigma: number): Tensor => {
  const kept = (end.sigma ?? 0) / sigma;
  return div(sub(end.x, mul(x, kept)), 1 - kept);
};
