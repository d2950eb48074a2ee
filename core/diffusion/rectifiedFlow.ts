/**
 * Rectified flow: x_t = (1 − t)·x0 + t·ε, t in [0, 1] (Liu et al. 2022, arXiv:2209.03003). Divided by 1 − t it is
 * x0 + σ·ε with σ = t/(1 − t).
 */
import { failure } from "../errors.ts";
import type { Condition } from "../interfaces/condition.ts";
import type { Denoiser } from "../interfaces/denoiser.ts";
import { add, div, mul, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { perSample } from "./edm.ts";

/** σ = t/(1 − t); infinite at t = 1. @throws E_OPTION unless time is in [0, 1] */
export function flowSigma(time: number): number {
  if (!(time >= 0 && time <= 1))
    throw failure("E_OPTION", `Cannot find the noise level of time ${time}: should be in [0, 1] of a rectified flow`);
  return time / (1 - time);
}

/** t = σ/(1 + σ). */
export const flowTime = (sigma: number): number => (sigma === Number.POSITIVE_INFINITY ? 1 : sigma / (1 + sigma));

/**
 * t' = s·t/(1 + (s − 1)·t): moves time towards noise for s > 1, which large images need (Esser et al. 2024,
 * arXiv:2403.03206, Eq. 23). In noise levels it is σ' = s·σ.
 */
export const shiftTime = (time: number, shift: number): number => (shift * time) / (1 + (shift - 1) * time);

/** A network of the flow's velocity ε − x0: xt [B, …], time [B] → [B, …]. */
export type FlowNetwork = (xt: Tensor, time: Tensor, condition: Condition) => Tensor;

/** What a network of the flow is shown of x = x0 + σ·ε: x_t = x/(1 + σ) and t = σ/(1 + σ). x [B, …], sigma [B]. */
export function flowInput(x: Tensor, sigma: Tensor): { readonly xt: Tensor; readonly time: Tensor } {
  const total = add(sigma, 1);
  return { xt: div(x, perSample(total, x.shape.length)), time: div(sigma, total) };
}

/** D(x; σ) = x_t − t·v(x_t; t) with t = σ/(1 + σ), x_t = (1 − t)·x. x [B, …], sigma [B] → [B, …]. */
export const flowDenoiser = (network: FlowNetwork): Denoiser => ({
  denoise(x, sigma, condition) {
    const { xt, time } = flowInput(x, sigma);
    return sub(xt, mul(perSample(time, x.shape.length), network(xt, time, condition)));
  },
});
