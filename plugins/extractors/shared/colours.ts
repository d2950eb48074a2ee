import { concat, constantArray, div, sub } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Mean and deviation of the colours that a network was trained with, for red, green and blue in [0, 1]. */
export interface Colours {
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
}

/** Those of ImageNet, as torchvision has them. */
export const IMAGENET_COLOURS: Colours = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
/** Those of CLIP's own pictures. Radford et al. 2021, arXiv:2103.00020. */
export const CLIP_COLOURS: Colours = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  deviation: [0.26862954, 0.26130258, 0.27577711],
};

/** Images [B, 1 or 3, H, W] in [-1, 1] → ((x + 1)/2 − mean)/deviation [B, 3, H, W]; a grey image is one of three equal channels. */
export function withColours(x: Tensor, { mean, deviation }: Colours): Tensor {
  const three = x.shape[1] === 3 ? x : concat([x, x, x], 1);
  const [shift, scale] = [mean.map((each) => 2 * each - 1), deviation.map((each) => 2 * each)];
  return div(sub(three, constantArray(shift, [1, 3, 1, 1])), constantArray(scale, [1, 3, 1, 1]));
}
