import { blockOf } from "../../core/graph/mod.ts";
import { type Condition, classesOf, DATA_SHAPE, DROPOUT, type Network } from "../../core/interfaces/mod.ts";
import {
  type BlockStyle,
  conv,
  fanInUniform,
  groupNorm,
  type Initializer,
  linear,
  normal,
  positionalFrequencies,
  type Scope,
  sinusoid,
  unetBlock,
  unetGroups,
  zeros,
} from "../../core/nn/mod.ts";
import { concat, silu } from "../../core/ops/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { addScalarEntries } from "./shared/scalarEntries.ts";
import { addAugmentation, addClass } from "./shared/unetEmbedding.ts";
import { unetOptions } from "./shared/unetOptions.ts";
import { type UnetPlan, unetPlan } from "./shared/unetPlan.ts";

/**
 * ADM, the class-conditional U-Net of EDM's ImageNet-64 model, and small versions of it. One block:
 *   h = conv0(silu(norm0(x)))             resampled before conv0 in up and down blocks
 *   h = conv1(silu(norm1(h)·(1 + scale) + shift)),  [scale, shift] = affine(emb)
 *   y = h + skip(x),  then y + attention(y) where there are heads
 * x [B, C, R, R], cNoise [B] → [B, C, R, R]; features are the last encoder block's output, [B, C', r, r] at the lowest
 * resolution r. Names, order and starting values are those of DhariwalUNet in NVlabs/edm. The defaults are the ImageNet-64
 * model; it was trained with dropout 0.1.
 * Dhariwal & Nichol 2021, arXiv:2105.05233; Karras et al. 2022, arXiv:2206.00364.
 */
export const adm = definePlugin({
  name: "adm",
  kind: "network",
  about: "ADM U-Net for images, with time embedding, class embedding and self-attention",
  options: {
    ...unetOptions({ channels: 192, channelMult: [1, 2, 3, 4], blocks: 3, attention: [32, 16, 8] }),
    channelsPerHead: number({
      default: 64,
      min: 1,
      integer: true,
      about: "channels of an attention head; blocks with fewer have none, as in the original",
    }),
  },
  create(options, container): Network {
    const shape = container.get(DATA_SHAPE);
    const { sample } = shape;
    const classes = classesOf(shape);
    const plan = unetPlan({
      ...options,
      name: "adm",
      sample,
      firstChannels: options.channels * (options.channelMult[0] ?? 1),
      noiseChannels: options.channels,
      heads: ({ channels }) => Math.floor(channels / options.channelsPerHead),
    });
    const style = { ...admStyle, ...options };
    const begin = (scope: Scope, x: Tensor, cNoise: Tensor, condition: Condition): Encoded => {
      const model = scope.at("model");
      const emb = embed(model, options, classes, cNoise, condition);
      return encode(model, plan, style, x, emb, condition);
    };
    return {
      knowsNoClass: options.labelDropout > 0,
      features: (...inputs) => begin(...inputs).x,
      middle(scope, x, cNoise, condition) {
        const encoded = begin(scope, x, cNoise, condition);
        const between = plan.decoder.findIndex(({ joins }) => joins);
        const blocks = { ...plan, decoder: plan.decoder.slice(0, between) };
        return decode(scope.at("model"), blocks, style, encoded, condition);
      },
      apply(scope, x, cNoise, condition) {
        const model = scope.at("model");
        const h = decode(model, plan, style, begin(scope, x, cNoise, condition), condition);
        const activation = "silu";
        const out = groupNorm(model.at("out_norm"), h, unetGroups(h.shape[1]), style.eps, {
          activation,
        });
        return conv(model.at("out_conv"), out, sample[0], { init: zeros });
      },
    };
  },
});

/** Weight and bias alike. */
const both = (init: Initializer) => ({ weight: init, bias: init });

/** Layers as PyTorch starts them, residual branches at zero. */
const admStyle: Omit<BlockStyle, "dropout" | "resampleFilter"> = {
  eps: 1e-5,
  skipScale: 1,
  modulation: "scale and shift",
  projectResampled: false,
  init: (fanIn) => both(fanInUniform(fanIn)),
  lastInit: () => both(zeros),
  attentionInit: (fanIn) => both(fanInUniform(fanIn)),
};

interface EmbeddingOptions {
  readonly channels: number;
  readonly channelMultEmb: number;
  readonly augmentLabels: number;
  readonly labelDropout: number;
}

/** Noise level, augmentation, class and scalar entries as one vector, [B, channels·channelMultEmb]. No label means a zero class vector. */
function embed(
  model: Scope,
  { channels, channelMultEmb, augmentLabels, labelDropout }: EmbeddingOptions,
  classes: number,
  cNoise: Tensor,
  condition: Condition,
): Tensor {
  const width = channels * channelMultEmb;
  const embedLevel = (c: Tensor) => sinusoid(c, positionalFrequencies(channels / 2));
  let emb = embedLevel(cNoise);
  emb = addAugmentation(model.at("map_augment"), emb, condition, {
    inputs: augmentLabels,
    width: channels,
    init: () => both(zeros),
  });
  emb = silu(linear(model.at("map_layer0"), emb, width));
  emb = linear(model.at("map_layer1"), emb, width);
  emb = addClass(model.at("map_label"), emb, condition, {
    inputs: classes,
    width,
    bias: false,
    gain: 1,
    labelDropout,
    init: () => both(normal(1)),
  });
  return silu(addScalarEntries(model, emb, condition, embedLevel));
}

/** The last activation, and all of them, first to last, for the decoder. */
interface Encoded {
  readonly x: Tensor;
  readonly skips: readonly Tensor[];
  readonly emb: Tensor;
}

function encode(
  model: Scope,
  { first, encoder }: UnetPlan,
  style: BlockStyle,
  x: Tensor,
  emb: Tensor,
  { [DROPOUT]: dropout }: Condition,
): Encoded {
  const scope = model.at("enc");
  const skips = [conv(scope.at(first.name), x, first.channels)];
  for (const block of encoder) {
    const h = skips[skips.length - 1];
    skips.push(blockOf(() => unetBlock(scope.at(block.name), h, emb, block, style, dropout)));
  }
  return { x: skips[skips.length - 1], skips, emb };
}

function decode(
  model: Scope,
  { decoder }: UnetPlan,
  style: BlockStyle,
  { x, skips, emb }: Encoded,
  { [DROPOUT]: dropout }: Condition,
): Tensor {
  const scope = model.at("dec");
  const waiting = [...skips];
  return decoder.reduce(
    (h, block) =>
      blockOf(() => {
        const joined = block.joins ? concat([h, waiting.pop()!], 1) : h;
        return unetBlock(scope.at(block.name), joined, emb, block, style, dropout);
      }),
    x,
  );
}
