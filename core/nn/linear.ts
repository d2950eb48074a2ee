import { linear as affine } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fanInUniform, type Initializer, type Scope } from "./scope.ts";

/** Options of a linear layer. Weight and bias start as PyTorch's default when no initialiser is given. */
export interface LinearOptions {
  readonly bias?: boolean;
  readonly init?: Initializer;
}

/** y = x·weightᵀ + bias. x [..., I] → y [..., outputs]; parameters `weight` [outputs, I], `bias` [outputs]. */
export function linear(
  scope: Scope,
  x: Tensor,
  outputs: number,
  options: LinearOptions = {},
): Tensor {
  const inputs = x.shape[x.shape.length - 1];
  const init = options.init ?? fanInUniform(inputs);
  const weight = scope.parameter("weight", [outputs, inputs], init);
  const bias = options.bias === false ? undefined : scope.parameter("bias", [outputs], init);
  return affine(x, weight, bias);
}
