import type { FeatureNetwork } from "../interfaces/extractor.ts";
import { add, div, interpolate, mean, mul, sqrt, square, sub, sum } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/**
 * Learned perceptual distance of two batches of images, in the features of a network that brings channel weights.
 *   f̂_l = f_l / (‖f_l‖ + 10⁻¹⁰) over channels;   d = Σ_l mean_{H,W} Σ_C w_l (f̂_l(a) − f̂_l(b))²
 * a, b [B, C, H, W] in [-1, 1] → [B]. Version 0.1 over VGG-16. Zhang et al. 2018, arXiv:1801.03924.
 * @param size smaller images are first enlarged to size × size, bilinearly; DMD takes 224. As they are when absent or 0
 */
export function lpips(network: FeatureNetwork, a: Tensor, b: Tensor, size?: number): Tensor {
  return lpipsLayers(network, a, b, size).reduce((total, layer) => add(total, layer));
}

/** The terms of the distance: what each feature adds. → as many of [B] */
export function lpipsLayers(
  { features, channelWeights }: FeatureNetwork,
  a: Tensor,
  b: Tensor,
  size?: number,
): Tensor[] {
  const [ofA, ofB] = [a, b].map((x) => features(enlarged(x, size)));
  return Object.entries(channelWeights?.() ?? {}).map(([name, weight]) => {
    const squares = square(sub(normalised(ofA[name]), normalised(ofB[name])));
    return mean(sum(mul(weight, squares), { axes: [1] }), { axes: [1, 2] });
  });
}

function enlarged(x: Tensor, size = 0): Tensor {
  const [H, W] = x.shape.slice(-2);
  return Math.min(H, W) < size ? interpolate(x, { size: [size, size], mode: "bilinear" }) : x;
}

/** Features of unit length over the channels. [B, C, H, W]; the inner 10⁻²⁰ keeps the slope of √ finite where all are 0. */
function normalised(features: Tensor): Tensor {
  const squares = sum(square(features), { axes: [1], keepDims: true });
  return div(features, add(sqrt(add(squares, 1e-20)), 1e-10));
}
