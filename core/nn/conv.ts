import { add, conv2d, reshape } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fanInUniform, type Initializer, type Scope } from "./scope.ts";

/** Options of a convolution layer. The default padding keeps H and W at stride 1 and odd kernels. */
export interface ConvLayerOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly bias?: boolean;
  readonly init?: Initializer;
}

/** 2-D convolution. x [B, C, H, W] → [B, channels, H', W']; parameters `weight` [channels, C, k, k], `bias` [channels]. */
export function conv(
  scope: Scope,
  x: Tensor,
  channels: number,
  options: ConvLayerOptions = {},
): Tensor {
  const { kernel = 3, stride = 1, padding = Math.floor(kernel / 2) } = options;
  const init = options.init ?? fanInUniform(x.shape[1] * kernel * kernel);
  const weight = scope.parameter("weight", [channels, x.shape[1], kernel, kernel], init);
  const y = conv2d(x, weight, { stride: [stride, stride], padding: [padding, padding] });
  if (options.bias === false) return y;
  return add(y, reshape(scope.parameter("bias", [channels], init), [1, channels, 1, 1]));
}
