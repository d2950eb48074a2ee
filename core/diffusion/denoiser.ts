import { type Condition, emptyName } from "../interfaces/condition.ts";
import type { DataShape } from "../interfaces/dataset.ts";
import type { Denoiser } from "../interfaces/denoiser.ts";
import { add, input, mul } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { precondition } from "./edm.ts";

/** A raw network with its parameters: x [B, …] scaled to unit variance, cNoise [B]. */
export type RawNetwork = (x: Tensor, cNoise: Tensor, condition: Condition) => Tensor;

/**
 * D(x; σ) = cSkip·x + cOut·F(cIn·x; cNoise): a raw network F as a denoiser (Karras et al. 2022, Eq. 7).
 * x [B, …], sigma [B] → [B, …].
 */
export const edmDenoiser = (F: RawNetwork, sigmaData: number): Denoiser => ({
  denoise(x, sigma, condition) {
    const { cSkip, cOut, cIn, cNoise } = precondition(sigma, sigmaData, x.shape.length);
    return add(mul(cSkip, x), mul(cOut, F(mul(cIn, x), cNoise, condition)));
  },
});

/** Features of a noisy image: the denoiser's input scaling, and no output scaling. x [B, …], sigma [B]. */
export function edmFeatures(
  features: RawNetwork,
  sigmaData: number,
  x: Tensor,
  sigma: Tensor,
  condition: Condition,
): Tensor {
  const { cIn, cNoise } = precondition(sigma, sigmaData, x.shape.length);
  return features(mul(cIn, x), cNoise, condition);
}

/** One noisy sample that is not known yet: what a role is applied to when it is asked for its parameters. */
export function placeholders({ sample, condition }: Pick<DataShape, "sample" | "condition">): {
  readonly x: Tensor;
  readonly sigma: Tensor;
  readonly condition: Condition;
} {
  const entries = Object.entries(condition).flatMap(([name, { shape, dtype, empty }]) => {
    const names = empty === "stored" ? [name, emptyName(name)] : [name];
    return names.map((each) => [each, input(each, [1, ...shape], dtype)]);
  });
  return {
    x: input("x", [1, ...sample]),
    sigma: input("sigma", [1]),
    condition: Object.fromEntries(entries),
  };
}
