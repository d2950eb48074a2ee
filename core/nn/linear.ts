import { linear as affine } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { linearWithLora } from "./lora.ts";
import { type Initializer, type LayerStart, type Scope, startOf } from "./scope.ts";

/** Options of a linear layer. Weight and bias start as PyTorch's default when no initialiser is given. */
export interface LinearOptions {
  readonly bias?: boolean;
  readonly init?: Initializer | LayerStart;
}

/** y = x·weightᵀ + bias. x [..., I] → y [..., outputs]; parameters `weight` [outputs, I], `bias` [outputs]. */
export function linear(scope: Scope, x: Tensor, outputs: number, options: LinearOptions = {}): Tensor {
  const inputs = x.shape[x.shape.length - 1];
  const start = startOf(options.init, inputs, outputs);
  const weight = scope.parameter("weight", [outputs, inputs], start.weight);
  const bias = options.bias === false ? undefined : scope.parameter("bias", [outputs], start.bias);
  return linearWithLora(scope, x, affine(x, weight, bias));
}
