import { conv, type Scope, zeros } from "../../../core/nn/mod.ts";
import {
  add,
  constantArray,
  div,
  interpolate,
  maxPool2d,
  mean,
  mul,
  relu,
  sqrt,
  square,
  sub,
  sum,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";

/** Channels of the convolutions of VGG-16 between two poolings; features are read after the last of each stage. */
const STAGES = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];
/** Mean and deviation of ImageNet's colours, for images in [-1, 1]. */
const SHIFT = [-0.03, -0.088, -0.188];
const SCALE = [0.458, 0.448, 0.45];
/** Four poolings halve this to one pixel. */
export const SMALLEST_IMAGE = 16;

/**
 * Learned perceptual distance of two batches of images, version 0.1 on VGG-16.
 *   f̂_l = f_l / (‖f_l‖ + 10⁻¹⁰) over channels, of (x − shift)/scale;   d = Σ_l mean_{H,W} Σ_C w_l (f̂_l(a) − f̂_l(b))²
 * a, b [B, C, H, W] in [-1, 1], C = 3, or 1 for grey; H, W ≥ 16 → [B]. Parameter names are those of the official state dict,
 * `net.slice1.0.weight` … `lin4.model.1.weight`. Zhang et al. 2018, arXiv:1801.03924.
 * @param size smaller images are first enlarged to size × size, bilinearly; DMD takes 224. As they are when absent
 */
export function lpips(scope: Scope, a: Tensor, b: Tensor, size?: number): Tensor {
  return lpipsLayers(scope, a, b, size).reduce((total, layer) => add(total, layer));
}

/** The terms of the distance: what each of the five layers of features adds. → five of [B] */
export function lpipsLayers(scope: Scope, a: Tensor, b: Tensor, size?: number): Tensor[] {
  const [ofA, ofB] = [a, b].map((x) => vggFeatures(scope.at("net"), colours(enlarged(x, size))));
  return ofA.map((features, l) => {
    const weight = scope
      .at(`lin${l}`)
      .at("model")
      .at(1)
      .parameter("weight", [1, features.shape[1], 1, 1], zeros);
    const squares = square(sub(normalised(features), normalised(ofB[l])));
    return mean(sum(mul(weight, squares), { axes: [1] }), { axes: [1, 2] });
  });
}

function enlarged(x: Tensor, size = 0): Tensor {
  const [H, W] = x.shape.slice(-2);
  return Math.min(H, W) < size ? interpolate(x, { size: [size, size], mode: "bilinear" }) : x;
}

/** (x − shift)/scale, [B, 3, H, W]; a grey image is one of three equal channels. */
const colours = (x: Tensor): Tensor =>
  div(sub(x, constantArray(SHIFT, [1, 3, 1, 1])), constantArray(SCALE, [1, 3, 1, 1]));

/** VGG-16 up to its last convolution, after the ReLUs 1_2, 2_2, 3_3, 4_3 and 5_3. Layers are numbered as in torchvision. */
function vggFeatures(scope: Scope, x: Tensor): Tensor[] {
  let [features, layer] = [x, 0];
  return STAGES.map((channels, stage) => {
    if (stage > 0) {
      features = maxPool2d(features, { kernel: 2 });
      layer++;
    }
    for (const count of channels) {
      features = relu(conv(scope.at(`slice${stage + 1}`).at(layer), features, count));
      layer += 2;
    }
    return features;
  });
}

/** Features of unit length over the channels. [B, C, H, W]; the inner 10⁻²⁰ keeps the slope of √ finite where all are 0. */
function normalised(features: Tensor): Tensor {
  const squares = sum(square(features), { axes: [1], keepDims: true });
  return div(features, add(sqrt(add(squares, 1e-20)), 1e-10));
}
