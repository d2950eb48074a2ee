/** MeanFlow: the mean velocity of a flow between two times, and the identity that it is trained by. */
import { levelTold, perSample } from "../../../core/diffusion/mod.ts";
import { jvp } from "../../../core/graph/mod.ts";
import type { Condition, Denoiser, NoiseProcess } from "../../../core/interfaces/mod.ts";
import {
  add,
  clamp,
  constant,
  div,
  exp,
  greater,
  maximum,
  mul,
  pow,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  where,
} from "../../../core/ops/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";

/** u(x_t; t, r), which leads from x_t to x_r = x_t − (t − r)·u. xt [B, …], time and end [B] → [B, …]. */
export type MeanVelocity = (xt: Tensor, time: Tensor, end: Tensor, condition: Condition) => Tensor;

/** Where on a path between sample and noise the velocity is trained. */
export interface FlowPoint {
  /** (1 − t)·x + t·z, [B, …] */
  readonly xt: Tensor;
  /** t, [B], 0 is the sample and 1 the noise. */
  readonly time: Tensor;
  /** r, [B], at most t. */
  readonly end: Tensor;
  readonly condition: Condition;
}

/** The share w of the velocity, and k of the conditional one, in the mixture that stands in for it, [B] each. */
export interface Mixture {
  readonly scale: Tensor;
  readonly conditional?: Tensor;
}

/**
 * Guidance that is learnt with the flow:  v' = w·v + (1 − w − k)·u(x_t; t, t | ∅) + k·u(x_t; t, t | c). No gradient.
 * Geng et al. 2025, arXiv:2505.13447, Eq. 20 and appendix A, where w is ω and k is κ.
 */
export function mixedVelocity(
  v: Tensor,
  u: MeanVelocity,
  { xt, time, condition }: FlowPoint,
  without: Condition,
  { scale, conditional }: Mixture,
): Tensor {
  const spread = (values: Tensor) => perSample(values, v.shape.length);
  const empty = stopGradient(u(xt, time, time, without));
  const base = conditional ? sub(sub(1, scale), conditional) : sub(1, scale);
  const mixed = add(mul(spread(scale), v), mul(spread(base), empty));
  if (!conditional) return mixed;
  return add(mixed, mul(spread(conditional), stopGradient(u(xt, time, time, condition))));
}

/** How the derivative along the path is found: exactly, or from two points so far away, which costs two calls. */
export type Derivative = { readonly by: "jvp" } | { readonly by: "differences"; readonly step: number };

/** u at a point and du/dt = v·∂u/∂x + ∂u/∂t, without a gradient, along the flow. `latest` is the last time there is. */
export function alongPath(
  u: MeanVelocity,
  { xt, time, end, condition }: FlowPoint,
  v: Tensor,
  { derivative, latest }: { readonly derivative: Derivative; readonly latest: number },
): { readonly u: Tensor; readonly dudt: Tensor } {
  const held = stopGradient(end); // r stays where it is, even where it is t itself
  const said = u(xt, time, held, condition);
  if (derivative.by === "jvp") {
    const ones = constant(1, "f32", time.shape);
    return {
      u: said,
      dudt: stopGradient(
        jvp(
          [said],
          [
            [xt, v],
            [time, ones],
          ],
        )[0],
      ),
    };
  }
  // One-sided where a point would lie after the latest time, or not after r.
  const { step } = derivative;
  const room = greater(sub(time, step), held);
  const isLate = greater(add(time, step), latest);
  const [ahead, behind] = [where(isLate, 0, step), where(isLate, step, where(room, step, 0))];
  const at = (shift: Tensor) =>
    u(add(xt, mul(perSample(shift, xt.shape.length), v)), add(time, shift), held, condition);
  const change = sub(at(ahead), at(mul(behind, -1)));
  return { u: said, dudt: stopGradient(div(change, perSample(add(ahead, behind), xt.shape.length))) };
}

/** What a loss is divided by: (e + c)^p, or multiplied with: a·exp(b·e + c), e the squared error or the norm. */
export type ErrorWeight =
  | { readonly kind: "power"; readonly power: number; readonly constant: number }
  | { readonly kind: "exponential"; readonly factor: number; readonly rate: number; readonly constant: number };

const weightOf = (e: Tensor, weight: ErrorWeight): Tensor =>
  weight.kind === "power"
    ? pow(add(e, weight.constant), -weight.power)
    : mul(exp(add(mul(e, weight.rate), weight.constant)), weight.factor);

/** How the identity becomes a loss. */
export interface MeanFlowOptions {
  /** The weighted squared error, or the squared distance to a step along the weighted tangent. */
  readonly loss: "l2" | "opt-grad";
  readonly weight: ErrorWeight;
  /** Factor on the derivative, in [0, 1], while it is warmed up; 1 when absent. */
  readonly warmth?: number | Tensor;
  /** Whether the tangent of `opt-grad` is divided by the root of its size. */
  readonly perElement?: boolean;
  readonly latest: number;
}

/**
 * The identity  u = v − (t − r)·du/dt  as a loss per sample, [B]. With e = ‖u − sg(v − (t − r)·du/dt)‖²:
 *   l2        e · sg w(e)
 *   opt-grad  ‖u − sg(u + w(‖g‖)·g)‖²,  g = v − u − (t − r)·du/dt
 * At r = t it is the loss of the flow itself. Gradient through u alone. With it the weights, and what u is pulled towards: the whole
 * target, or g.
 * Geng et al. 2025, MeanFlow, arXiv:2505.13447, Eq. 6 and 11; `opt-grad` as in NVlabs/FastGen, mean_flow.py.
 */
export function meanFlowLosses(
  { u, dudt }: { readonly u: Tensor; readonly dudt: Tensor },
  v: Tensor,
  { time, end }: Pick<FlowPoint, "time" | "end">,
  { loss, weight, warmth = 1, perElement = false, latest }: MeanFlowOptions,
): { readonly losses: Tensor; readonly weights: Tensor; readonly towards: Tensor } {
  const rank = u.shape.length;
  const overSample = (x: Tensor) => sum(x, { axes: u.shape.map((_, axis) => axis).slice(1) });
  const length = mul(clamp(sub(time, end), { min: 0, max: latest }), warmth);
  const whole = stopGradient(sub(v, mul(perSample(length, rank), dudt)));
  if (loss === "l2") {
    const e = overSample(square(sub(u, whole)));
    const weights = stopGradient(weightOf(e, weight));
    return { losses: mul(e, weights), weights, towards: whole };
  }
  const far = sub(whole, stopGradient(u));
  const tangent = perElement ? mul(far, 1 / Math.sqrt(sizeOf(u.shape.slice(1)))) : far;
  const weights = perSample(weightOf(sqrt(overSample(square(tangent))), weight), rank);
  const target = stopGradient(add(u, mul(tangent, weights)));
  return { losses: overSample(square(sub(u, target))), weights, towards: tangent };
}

/** The lowest level of an end that a network is told, as the generator `mean-flow` has it. */
const LOWEST = 0.002;

/** The mean velocity of a denoiser that is told where its step ends: u = (x_t − D(x_t/(1 − t); σ, r))/t, σ = t/(1 − t). */
export const velocityOf =
  ({ denoise }: Denoiser, process: NoiseProcess): MeanVelocity =>
  (xt, time, end, condition) => {
    const told = levelTold(process, maximum(flowLevel(end), LOWEST));
    return plainVelocity({ denoise }, xt, time, { ...condition, end: told });
  };

/** The velocity (x_t − D(x_t/(1 − t); σ))/t that any denoiser gives. xt [B, …], time [B] in (0, 1). */
export function plainVelocity({ denoise }: Denoiser, xt: Tensor, time: Tensor, condition: Condition): Tensor {
  const spread = (values: Tensor) => perSample(values, xt.shape.length);
  return div(sub(xt, denoise(div(xt, spread(sub(1, time))), flowLevel(time), condition)), spread(time));
}

const flowLevel = (time: Tensor): Tensor => div(time, sub(1, time));
