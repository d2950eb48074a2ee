import type { Extractor, FeatureNetwork } from "../../core/interfaces/mod.ts";
import { type FrozenWeights, frozenWeights, type Scope, zeros } from "../../core/nn/mod.ts";
import {
  add,
  avgPool2d,
  concat,
  conv2d,
  input,
  interpolate,
  linear,
  maxPool2d,
  mean,
  mul,
  relu,
  reshape,
  slice,
} from "../../core/ops/mod.ts";
import { choice, definePlugin, text } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { extractorWeights, type NamedWeights } from "./shared/extractorWeights.ts";

/** Height and width that the network was trained at. */
const SIZE = 299;
const CLASSES = 1008;
const EPSILON = 1e-3;

/** How pictures of other sizes become 299 pixels wide, and bytes 0 to 255 become inputs. */
const READINGS = {
  /** NVIDIA's pickle and the TF graph: bilinear from the corners, (x - 128)/128. EDM's protocol, and DMD2's on ImageNet-64. */
  tf1: { halfPixels: false, mean: 128, scale: 128 },
  /** pytorch-fid: bilinear from the centres, x/127.5 - 1. */
  pytorch: { halfPixels: true, mean: 127.5, scale: 127.5 },
  /** clean-FID: the caller resizes, with Pillow's bicubic filter; (x - 128)/128. */
  clean: { halfPixels: true, mean: 128, scale: 128 },
} as const;

export type InceptionReading = keyof typeof READINGS;

/**
 * Inception-v3 as all Fréchet Inception Distances use it: the classifier of 2015-12-05 with 1008 outputs, whose average pools
 * do not count the padding and whose last block pools by maximum.
 *   images in [-1, 1] → `pool3` [B, 2048], `logits` [B, 1008], `logitsWithoutBias` (the score of OpenAI's evaluator), and
 *   `spatial` [B, 7, 17, 17], the first channels of the first branch of Mixed_6d, which sFID compares (not verified)
 * A grey image is one of three equal channels. Parameter names are those of pytorch-fid's file,
 * `pt_inception-2015-12-05-6726825d.pth`; batch norms are folded into the convolutions as the file is read.
 * Szegedy et al. 2015, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500.
 */
export const inception = definePlugin({
  name: "inception",
  kind: "extractor",
  about: "Inception-v3 of the Fréchet Inception Distance: pooled and spatial features, logits",
  options: {
    weights: text({
      default: "",
      about: "safetensors or PyTorch file: pytorch-fid's state dict, pt_inception-2015-12-05",
    }),
    reading: choice(["tf1", "pytorch", "clean"], {
      default: "tf1",
      about: "how images become 299 pixels wide: EDM's way, pytorch-fid's, or clean-FID's, which resizes before",
    }),
  },
  create({ weights, reading }, container): Extractor {
    let loaded: Promise<FrozenWeights> | undefined;
    const load = async () =>
      frozenWeights("inception", declare, folded(await extractorWeights(container, "inception", weights)), weights);
    return {
      name: "inception",
      reads: { channels: [1, 3], smallest: 1, ...(reading === "clean" && { size: SIZE }) },
      widths: { pool3: 2048, logits: CLASSES, logitsWithoutBias: CLASSES, spatial: 7 },
      bind: (scope) => inceptionNetwork(scope, reading),
      load: () => (loaded ??= load()),
    };
  },
});

/** Named weights with the batch norms folded. */
function folded(raw: NamedWeights): NamedWeights {
  const read = foldBatchNorms((name) => raw[name]?.data);
  const names = Object.entries(raw).flatMap(([name, { shape }]): [string, readonly number[]][] => {
    const weight: [string, readonly number[]] = [name, shape];
    return name.endsWith(".conv.weight") ? [weight, [name.replace(/weight$/, "bias"), [shape[0]]]] : [weight];
  });
  return Object.fromEntries(
    names.flatMap(([name, shape]) => {
      const data = read(name);
      return data ? [[name, { shape, data }]] : [];
    }),
  );
}

/**
 * Parameters with each batch norm folded into the convolution before it: weight' = weight · γ/√(σ² + 10⁻³), and
 * bias' = β - μ · γ/√(σ² + 10⁻³). Other parameters are passed through.
 */
export function foldBatchNorms(
  read: (name: string) => Float32Array | undefined,
): (name: string) => Float32Array | undefined {
  const scales = (layer: string) => {
    const [gamma, variance] = [read(`${layer}.bn.weight`), read(`${layer}.bn.running_var`)];
    return gamma && variance && Float64Array.from(gamma, (value, i) => value / Math.sqrt(variance[i] + EPSILON));
  };
  return (name) => {
    const [, layer, part] = name.match(/^(.*)\.conv\.(weight|bias)$/) ?? [];
    if (layer === undefined) return read(name);
    const scale = scales(layer);
    if (!scale) return undefined;
    if (part === "bias") {
      const [beta, average] = [read(`${layer}.bn.bias`), read(`${layer}.bn.running_mean`)];
      return beta && average && beta.map((value, i) => value - average[i] * scale[i]);
    }
    const weight = read(name);
    return weight?.map((value, i) => value * scale[Math.floor((i * scale.length) / weight.length)]);
  };
}

function declare(scope: Scope): void {
  inceptionNetwork(scope, "clean").features(input("x", [1, 3, SIZE, SIZE]));
}

/** A pair of numbers along H and W, or one for both. */
type Extent = number | readonly [number, number];

/** Convolution with folded batch norm, then ReLU. The padding keeps H and W unless `padding` says otherwise. */
function layer(
  scope: Scope,
  x: Tensor,
  channels: number,
  kernel: Extent = 1,
  { stride = 1, padding }: { readonly stride?: number; readonly padding?: number } = {},
): Tensor {
  const [height, width] = typeof kernel === "number" ? [kernel, kernel] : kernel;
  const here = scope.at("conv");
  const weight = here.parameter("weight", [channels, x.shape[1], height, width], zeros);
  const bias = here.parameter("bias", [channels], zeros);
  const around = padding === undefined ? ([(height - 1) / 2, (width - 1) / 2] as const) : ([padding, padding] as const);
  const y = conv2d(x, weight, { stride: [stride, stride], padding: around });
  return relu(add(y, reshape(bias, [1, channels, 1, 1])));
}

const averaged = (x: Tensor): Tensor => avgPool2d(x, { kernel: 3, stride: 1, padding: 1, countPadding: false });
const shrunk = (x: Tensor): Tensor => maxPool2d(x, { kernel: 3, stride: 2 });
const side = { stride: 2, padding: 0 };

/** Block A of 35 x 35 pixels, with as many channels of the pooled branch. */
function blockA(scope: Scope, x: Tensor, pooled: number): Tensor {
  const five = layer(scope.at("branch5x5_1"), x, 48);
  let double = layer(scope.at("branch3x3dbl_1"), x, 64);
  double = layer(scope.at("branch3x3dbl_2"), double, 96, 3);
  return concat(
    [
      layer(scope.at("branch1x1"), x, 64),
      layer(scope.at("branch5x5_2"), five, 64, 5),
      layer(scope.at("branch3x3dbl_3"), double, 96, 3),
      layer(scope.at("branch_pool"), averaged(x), pooled),
    ],
    1,
  );
}

/** Block B: from 35 to 17 pixels. */
function blockB(scope: Scope, x: Tensor): Tensor {
  let double = layer(scope.at("branch3x3dbl_1"), x, 64);
  double = layer(scope.at("branch3x3dbl_2"), double, 96, 3);
  return concat(
    [layer(scope.at("branch3x3"), x, 384, 3, side), layer(scope.at("branch3x3dbl_3"), double, 96, 3, side), shrunk(x)],
    1,
  );
}

/** Block C of 17 x 17 pixels, with `inner` channels between its long, thin kernels. */
function blockC(scope: Scope, x: Tensor, inner: number): { readonly all: Tensor; readonly first: Tensor } {
  const row = [1, 7] as const;
  const column = [7, 1] as const;
  const first = layer(scope.at("branch1x1"), x, 192);
  let seven = layer(scope.at("branch7x7_1"), x, inner);
  seven = layer(scope.at("branch7x7_2"), seven, inner, row);
  seven = layer(scope.at("branch7x7_3"), seven, 192, column);
  let double = layer(scope.at("branch7x7dbl_1"), x, inner);
  double = layer(scope.at("branch7x7dbl_2"), double, inner, column);
  double = layer(scope.at("branch7x7dbl_3"), double, inner, row);
  double = layer(scope.at("branch7x7dbl_4"), double, inner, column);
  double = layer(scope.at("branch7x7dbl_5"), double, 192, row);
  return { first, all: concat([first, seven, double, layer(scope.at("branch_pool"), averaged(x), 192)], 1) };
}

/** Block D: from 17 to 8 pixels. */
function blockD(scope: Scope, x: Tensor): Tensor {
  const three = layer(scope.at("branch3x3_1"), x, 192);
  let seven = layer(scope.at("branch7x7x3_1"), x, 192);
  seven = layer(scope.at("branch7x7x3_2"), seven, 192, [1, 7]);
  seven = layer(scope.at("branch7x7x3_3"), seven, 192, [7, 1]);
  return concat(
    [
      layer(scope.at("branch3x3_2"), three, 320, 3, side),
      layer(scope.at("branch7x7x3_4"), seven, 192, 3, side),
      shrunk(x),
    ],
    1,
  );
}

/** Block E of 8 x 8 pixels. The official weights were trained with an average pool in the first and a maximum in the second. */
function blockE(scope: Scope, x: Tensor, pool: (x: Tensor) => Tensor): Tensor {
  const parted = (name: string, from: Tensor) => [
    layer(scope.at(`${name}a`), from, 384, [1, 3]),
    layer(scope.at(`${name}b`), from, 384, [3, 1]),
  ];
  const three = layer(scope.at("branch3x3_1"), x, 384);
  const double = layer(scope.at("branch3x3dbl_2"), layer(scope.at("branch3x3dbl_1"), x, 448), 384, 3);
  return concat(
    [
      layer(scope.at("branch1x1"), x, 320),
      ...parted("branch3x3_2", three),
      ...parted("branch3x3dbl_3", double),
      layer(scope.at("branch_pool"), pool(x), 192),
    ],
    1,
  );
}

/** What the network computes on the way; the blocks are pytorch-fid's. */
export interface InceptionLayers {
  /** After the first max pool [B, 64, 73, 73], after the second [B, 192, 35, 35], and before Mixed_7a [B, 768, 17, 17]. */
  readonly blocks: readonly [Tensor, Tensor, Tensor];
  readonly spatial: Tensor;
  readonly pool3: Tensor;
}

/** Inputs [B, 3, 299, 299] of the network's own scale, about -1 to 1. */
export function inceptionLayers(scope: Scope, inputs: Tensor): InceptionLayers {
  let h = layer(scope.at("Conv2d_1a_3x3"), inputs, 32, 3, side);
  h = layer(scope.at("Conv2d_2a_3x3"), h, 32, 3, { padding: 0 });
  const first = shrunk(layer(scope.at("Conv2d_2b_3x3"), h, 64, 3));
  h = layer(scope.at("Conv2d_3b_1x1"), first, 80);
  const second = shrunk(layer(scope.at("Conv2d_4a_3x3"), h, 192, 3, { padding: 0 }));
  h = blockA(scope.at("Mixed_5b"), second, 32);
  h = blockA(scope.at("Mixed_5c"), h, 64);
  h = blockA(scope.at("Mixed_5d"), h, 64);
  h = blockB(scope.at("Mixed_6a"), h);
  h = blockC(scope.at("Mixed_6b"), h, 128).all;
  h = blockC(scope.at("Mixed_6c"), h, 160).all;
  const { first: branch, all } = blockC(scope.at("Mixed_6d"), h, 160);
  const third = blockC(scope.at("Mixed_6e"), all, 192).all;
  h = blockD(scope.at("Mixed_7a"), third);
  h = blockE(scope.at("Mixed_7b"), h, averaged);
  h = blockE(scope.at("Mixed_7c"), h, (x) => maxPool2d(x, { kernel: 3, stride: 1, padding: 1 }));
  return {
    blocks: [first, second, third],
    spatial: slice(branch, { axis: 1, start: 0, end: 7 }),
    pool3: mean(h, { axes: [2, 3] }),
  };
}

/** The network over parameters of a scope, batch norms folded. */
export function inceptionNetwork(
  scope: Scope,
  reading: InceptionReading,
): FeatureNetwork & { inputs(x: Tensor): Tensor } {
  const { halfPixels, mean: centre, scale } = READINGS[reading];
  const inputs = (x: Tensor): Tensor => {
    const fits = x.shape[2] === SIZE && x.shape[3] === SIZE;
    const sized = fits ? x : interpolate(x, { size: [SIZE, SIZE], mode: "bilinear", halfPixels });
    // 127.5 (x + 1) are bytes.
    return colours(add(mul(sized, 127.5 / scale), (127.5 - centre) / scale));
  };
  return {
    inputs,
    features(x) {
      const { pool3, spatial } = inceptionLayers(scope, inputs(x));
      const weight = scope.at("fc").parameter("weight", [CLASSES, 2048], zeros);
      const bias = scope.at("fc").parameter("bias", [CLASSES], zeros);
      const logitsWithoutBias = linear(pool3, weight);
      return { pool3, spatial, logitsWithoutBias, logits: add(logitsWithoutBias, bias) };
    },
  };
}

const colours = (x: Tensor): Tensor => (x.shape[1] === 3 ? x : concat([x, x, x], 1));
