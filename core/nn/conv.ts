import { add, conv2d, reshape } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { convWithLora } from "./lora.ts";
import { type Initializer, type LayerStart, type Scope, startOf } from "./scope.ts";

/** Options of a convolution layer. The default padding keeps H and W at stride 1 and odd kernels. */
export interface ConvLayerOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly bias?: boolean;
  /** How weight and bias start; PyTorch's default without it. */
  readonly init?: Initializer | LayerStart;
}

/** 2-D convolution. x [B, C, H, W] → [B, channels, H', W']; parameters `weight` [channels, C, k, k], `bias` [channels]. */
export function conv(scope: Scope, x: Tensor, channels: number, options: ConvLayerOptions = {}): Tensor {
  const { kernel = 3, stride = 1, padding = Math.floor(kernel / 2) } = options;
  const area = kernel * kernel;
  const start = startOf(options.init, x.shape[1] * area, channels * area);
  const weight = scope.parameter("weight", [channels, x.shape[1], kernel, kernel], start.weight);
  let y = conv2d(x, weight, { stride: [stride, stride], padding: [padding, padding] });
  if (options.bias !== false) y = add(y, reshape(scope.parameter("bias", [channels], start.bias), [1, channels, 1, 1]));
  return convWithLora(scope, x, y, { kernel, stride, padding });
}
