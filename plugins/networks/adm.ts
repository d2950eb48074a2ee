import { failure } from "../../core/errors.ts";
import { type Condition, DATA_SHAPE, NETWORK, type Network } from "../../core/interfaces/mod.ts";
import {
  conv,
  groupNorm,
  linear,
  normal,
  positionalFrequencies,
  type Scope,
  selfAttention,
  sinusoid,
  zeros,
} from "../../core/nn/mod.ts";
import {
  add,
  averageDown,
  concat,
  mul,
  reshape,
  silu,
  split,
  takeRows,
  transpose,
  upsampleNearest,
} from "../../core/ops/mod.ts";
import { definePlugin, list, number } from "../../core/plugin/mod.ts";
import { formatShape } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";

/**
 * ADM, the class-conditional U-Net of EDM's ImageNet-64 model, and small versions of it. One block:
 *   h = conv0(silu(norm0(x)))             resampled before conv0 in up and down blocks
 *   h = conv1(silu(norm1(h)·(1 + scale) + shift)),  [scale, shift] = affine(emb)
 *   y = h + skip(x),  then y + attention(y) where there are heads
 * x [B, C, R, R], cNoise [B] → [B, C, R, R]; features are the last encoder block's output, [B, C', r, r] at the lowest
 * resolution r. Names, order and starting values are those of DhariwalUNet in NVlabs/edm; its `resample_filter` buffers are
 * no parameters here. The defaults are the ImageNet-64 model without dropout.
 * Dhariwal & Nichol 2021, arXiv:2105.05233; Karras et al. 2022, arXiv:2206.00364.
 */
export const adm = definePlugin({
  name: "adm",
  kind: "network",
  token: NETWORK,
  about: "ADM U-Net for images, with time embedding, class embedding and self-attention",
  options: {
    channels: number({
      default: 192,
      min: 4,
      integer: true,
      about: "channels at the highest resolution, and width of the noise embedding",
    }),
    channelMult: list(number({ min: 1, integer: true }), {
      default: [1, 2, 3, 4],
      about: "channels at each resolution, in units of `channels`; each next one halves the image",
    }),
    channelMultEmb: number({
      default: 4,
      min: 1,
      integer: true,
      about: "width of the embedding that modulates every block, in units of `channels`",
    }),
    blocks: number({
      default: 3,
      min: 1,
      integer: true,
      about: "blocks at each resolution; the decoder has one more",
    }),
    attention: list(number({ min: 1, integer: true }), {
      default: [32, 16, 8],
      about: "resolutions with self-attention, in pixels a side",
    }),
    channelsPerHead: number({
      default: 64,
      min: 1,
      integer: true,
      about: "channels of an attention head; blocks with fewer have none, as in the original",
    }),
  },
  create(options, container): Network {
    const { sample, classes } = container.get(DATA_SHAPE);
    const plan = planBlocks(options, sample);
    return {
      features: (scope, x, cNoise, condition) => {
        const model = scope.at("model");
        return encode(model, plan, x, embed(model, options, classes, cNoise, condition)).x;
      },
      apply(scope, x, cNoise, condition) {
        const model = scope.at("model");
        const emb = embed(model, options, classes, cNoise, condition);
        const encoded = encode(model, plan, x, emb);
        const h = decode(model, plan, encoded, emb);
        const out = silu(groupNorm(model.at("out_norm"), h, groupsOf(h)));
        return conv(model.at("out_conv"), out, sample[0], { init: zeros });
      },
    };
  },
});

interface AdmOptions {
  readonly channels: number;
  readonly channelMult: readonly number[];
  readonly channelMultEmb: number;
  readonly blocks: number;
  readonly attention: readonly number[];
  readonly channelsPerHead: number;
}

/** A block before it meets its parameters. */
interface Block {
  readonly name: string;
  readonly channels: number;
  readonly resample?: "up" | "down";
  /** Attention heads; 0 for none. */
  readonly heads: number;
  /** Takes a skip connection from the encoder. */
  readonly joins?: boolean;
}

interface BlockPlan {
  /** Name and channels of the first convolution. */
  readonly first: Pick<Block, "name" | "channels">;
  readonly encoder: readonly Block[];
  readonly decoder: readonly Block[];
}

/** The blocks in order of execution. Throws E_OPTION when the data do not fit the network. */
function planBlocks(options: AdmOptions, sample: readonly number[]): BlockPlan {
  const { channels, channelMult, blocks, attention, channelsPerHead } = options;
  const [, H, W] = sample;
  const levels = channelMult.length;
  if (sample.length !== 3 || H !== W || levels === 0 || H % 2 ** (levels - 1) !== 0)
    throw failure(
      "E_OPTION",
      `Cannot use adm for samples ${formatShape(sample)}: channelMult has ${levels} levels, ` +
        "samples should be square images [C, R, R] with R a multiple of 2 for each level after the first",
    );
  const heads = (C: number) => Math.floor(C / channelsPerHead);
  const headsAt = (resolution: number, C: number) =>
    attention.includes(resolution) ? heads(C) : 0;
  const level = (i: number) => {
    const resolution = H / 2 ** i;
    return { at: `${resolution}x${resolution}`, resolution, C: channels * channelMult[i] };
  };
  const encoder: Block[] = [];
  const decoder: Block[] = [];
  for (let i = 0; i < levels; i++) {
    const { at, resolution, C } = level(i);
    if (i > 0)
      encoder.push({ name: `${at}_down`, channels: level(i - 1).C, resample: "down", heads: 0 });
    for (let k = 0; k < blocks; k++)
      encoder.push({ name: `${at}_block${k}`, channels: C, heads: headsAt(resolution, C) });
  }
  for (let i = levels - 1; i >= 0; i--) {
    const { at, resolution, C } = level(i);
    if (i === levels - 1)
      decoder.push(
        { name: `${at}_in0`, channels: C, heads: heads(C) },
        { name: `${at}_in1`, channels: C, heads: 0 },
      );
    else decoder.push({ name: `${at}_up`, channels: level(i + 1).C, resample: "up", heads: 0 });
    for (let k = 0; k <= blocks; k++)
      decoder.push({
        ...{ name: `${at}_block${k}`, channels: C, joins: true },
        heads: headsAt(resolution, C),
      });
  }
  return { first: { name: `${level(0).at}_conv`, channels }, encoder, decoder };
}

/** Noise level and class as one vector, [B, channels·channelMultEmb]. No label means a zero class vector. */
function embed(
  model: Scope,
  { channels, channelMultEmb }: AdmOptions,
  classes: number,
  cNoise: Tensor,
  { label }: Condition,
): Tensor {
  const width = channels * channelMultEmb;
  let emb = sinusoid(cNoise, positionalFrequencies(Math.floor(channels / 2)));
  emb = silu(linear(model.at("map_layer0"), emb, width));
  emb = linear(model.at("map_layer1"), emb, width);
  if (classes > 0 && label) {
    const table = model.at("map_label").parameter("weight", [width, classes], normal(1));
    emb = add(emb, takeRows(transpose(table), label));
  }
  return silu(emb);
}

/** The last activation, and all of them, first to last, for the decoder. */
interface Encoded {
  readonly x: Tensor;
  readonly skips: readonly Tensor[];
}

function encode(model: Scope, { first, encoder }: BlockPlan, x: Tensor, emb: Tensor): Encoded {
  const scope = model.at("enc");
  const skips = [conv(scope.at(first.name), x, first.channels)];
  for (const block of encoder)
    skips.push(unetBlock(scope.at(block.name), block, skips[skips.length - 1], emb));
  return { x: skips[skips.length - 1], skips };
}

function decode(model: Scope, { decoder }: BlockPlan, { x, skips }: Encoded, emb: Tensor): Tensor {
  const scope = model.at("dec");
  const waiting = [...skips];
  return decoder.reduce(
    (h, block) =>
      unetBlock(scope.at(block.name), block, block.joins ? concat([h, waiting.pop()!], 1) : h, emb),
    x,
  );
}

function unetBlock(scope: Scope, block: Block, x: Tensor, emb: Tensor): Tensor {
  const { channels, heads } = block;
  let h = resampled(silu(groupNorm(scope.at("norm0"), x, groupsOf(x))), block);
  h = conv(scope.at("conv0"), h, channels);
  const [scale, shift] = split(
    reshape(linear(scope.at("affine"), emb, 2 * channels), [x.shape[0], 2 * channels, 1, 1]),
    2,
    1,
  );
  h = silu(add(mul(groupNorm(scope.at("norm1"), h, groupsOf(h)), add(scale, 1)), shift));
  h = conv(scope.at("conv1"), h, channels, { init: zeros });
  const skip = resampled(x, block);
  h = add(
    h,
    x.shape[1] === channels ? skip : conv(scope.at("skip"), skip, channels, { kernel: 1 }),
  );
  return heads > 0 ? selfAttention(scope, h, heads, groupsOf(h)) : h;
}

/** EDM's [1, 1] filter: 2×2 means on the way down, repeated pixels on the way up. */
const resampled = (x: Tensor, { resample }: Block): Tensor =>
  resample === "down"
    ? averageDown(x, { factor: 2 })
    : resample === "up"
      ? upsampleNearest(x, { factor: 2 })
      : x;

/** At most 32 groups of at least 4 channels. */
const groupsOf = (x: Tensor): number => Math.max(1, Math.min(32, Math.floor(x.shape[1] / 4)));
