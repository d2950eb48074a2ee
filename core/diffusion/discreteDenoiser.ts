import type { Condition } from "../interfaces/condition.ts";
import type { Denoiser } from "../interfaces/denoiser.ts";
import { abs, add, argmax, constantArray, log, mul, neg, reshape, rsqrt, square, sub } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DiscreteTable } from "./discrete.ts";
import { perSample } from "./edm.ts";
import { convertPrediction, type PredictionKind } from "./prediction.ts";

/** A network of whole timesteps: xt [B, …] of variance 1, timestep i32 [B] → its prediction [B, …]. */
export type DiscreteNetwork = (xt: Tensor, timestep: Tensor, condition: Condition) => Tensor;

/**
 * D(x; σ) of a network that knows whole timesteps of a variance-preserving process: it sees x/√(σ² + 1) at the timestep
 * whose ln σ is nearest, and its prediction is read with a = 1/√(σ² + 1), b = σ·a. For ε: D = x − σ·ε.
 * x [B, …], sigma [B] → [B, …].
 */
export const discreteDenoiser = (
  network: DiscreteNetwork,
  table: DiscreteTable,
  prediction: PredictionKind = "epsilon",
): Denoiser => ({
  denoise(x, sigma, condition) {
    const s = perSample(sigma, x.shape.length);
    const signal = rsqrt(add(square(s), 1));
    const xt = mul(x, signal);
    const predicted = network(xt, nearestTimestep(sigma, table), condition);
    // ε alone needs no second scaling: x0 = x_t/a − (b/a)·ε = x − σ·ε
    if (prediction === "epsilon") return sub(x, mul(s, predicted));
    const noise = mul(s, signal);
    return convertPrediction(predicted, xt, { from: prediction, to: "sample", signal, noise });
  },
});

/** The timestep whose ln σ is nearest. sigma [B] > 0 → i32 [B]. A timestep without signal (σ = ∞) is never chosen. */
export function nearestTimestep(sigma: Tensor, { sigmas }: Pick<DiscreteTable, "sigmas">): Tensor {
  const known = sigmas.filter(Number.isFinite);
  const table = constantArray(known.map(Math.log), [1, known.length]);
  const distance = abs(sub(reshape(log(sigma), [sigma.shape[0], 1]), table)); // [B, T]
  return argmax(neg(distance));
}
