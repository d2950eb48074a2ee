import { type Condition, classesOf, DATA_SHAPE, DROPOUT, type Network } from "../../core/interfaces/mod.ts";
import {
  type BlockStyle,
  frozen,
  linear,
  normal,
  positionalFrequencies,
  type Scope,
  sinusoid,
  xavierUniform,
  zeros,
} from "../../core/nn/mod.ts";
import { mul, silu, stopGradient } from "../../core/ops/mod.ts";
import { choice, definePlugin, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { addScalarEntries } from "./shared/scalarEntries.ts";
import { type SongBody, songDecoder, songEncoder } from "./shared/songBody.ts";
import { addAugmentation, addClass } from "./shared/unetEmbedding.ts";
import { unetOptions } from "./shared/unetOptions.ts";
import { unetPlan } from "./shared/unetPlan.ts";

/**
 * The U-Nets of score-based models: DDPM++ by default, NCSN++ with embedding=fourier noiseMult=2 encoder=residual
 * resampleFilter=1,3,3,1, and every combination between. One block, a = √½:
 *   h = conv0(silu(norm0(x)))             resampled before conv0 in up and down blocks
 *   h = conv1(silu(norm1(h + affine(emb))))
 *   y = a·(h + skip(x)),  then a·(y + attention(y)) with one head where there is attention
 * x [B, C, R, R], cNoise [B] → [B, C, R, R]; features are the encoder's last activation, [B, C', r, r] at the lowest
 * resolution r. Names, order and starting values are those of SongUNet in NVlabs/edm. Fourier frequencies are drawn with the
 * weights, stored with them and never trained. The defaults are EDM's CIFAR-10 model, trained with dropout 0.13.
 * Song et al. 2021, arXiv:2011.13456; Karras et al. 2022, arXiv:2206.00364.
 */
export const song = definePlugin({
  name: "song",
  kind: "network",
  about: "DDPM++ and NCSN++ U-Nets for images, as EDM's CIFAR-10 models use them",
  options: {
    ...unetOptions({ channels: 128, channelMult: [2, 2, 2], blocks: 4, attention: [16] }),
    embedding: choice(["positional", "fourier"], {
      default: "positional",
      about: "embedding of the noise level: positional (DDPM++) or random Fourier features (NCSN++)",
    }),
    noiseMult: number({
      default: 1,
      min: 1,
      integer: true,
      about: "width of the noise embedding in units of `channels`: 1 (DDPM++) or 2 (NCSN++)",
    }),
    encoder: choice(["standard", "skip", "residual"], {
      default: "standard",
      about: "how the image enters at lower resolutions: not, added, or as a residual (NCSN++)",
    }),
    decoder: choice(["standard", "skip"], {
      default: "standard",
      about: "whether the output is that of the highest resolution, or the sum of all",
    }),
  },
  create(options, container): Network {
    const shape = container.get(DATA_SHAPE);
    const { sample } = shape;
    const classes = classesOf(shape);
    const plan = unetPlan({
      ...options,
      name: "song",
      sample,
      firstChannels: options.channels,
      noiseChannels: options.channels * options.noiseMult,
      // In the decoder only the last block of a resolution attends.
      heads: ({ part, last }) => (part === "decoder" && !last ? 0 : 1),
    });
    const style = { ...songStyle, ...options };
    const begin = (scope: Scope, cNoise: Tensor, condition: Condition): SongBody => {
      const model = scope.at("model");
      const emb = embed(model, options, classes, cNoise, condition);
      return { model, emb, plan, style, options, draws: condition[DROPOUT] };
    };
    return {
      knowsNoClass: options.labelDropout > 0,
      features: (scope, x, ...rest) => songEncoder(begin(scope, ...rest), x).x,
      apply(scope, x, cNoise, condition) {
        const body = begin(scope, cNoise, condition);
        return songDecoder(body, songEncoder(body, x), sample[0]);
      },
    };
  },
});

const songStyle: Omit<BlockStyle, "dropout" | "resampleFilter"> = {
  eps: 1e-6,
  skipScale: Math.SQRT1_2,
  modulation: "shift",
  projectResampled: true,
  init: (fanIn, fanOut) => ({ weight: xavierUniform(fanIn, fanOut), bias: zeros }),
  lastInit: (fanIn, fanOut) => ({ weight: xavierUniform(fanIn, fanOut, 1e-5), bias: zeros }),
  attentionInit: (fanIn, fanOut) => ({
    weight: xavierUniform(fanIn, fanOut, Math.sqrt(0.2)),
    bias: zeros,
  }),
};

/** Standard deviation of the Fourier frequencies, in turns per unit of cNoise. */
const FOURIER_SCALE = 16;

interface EmbeddingOptions {
  readonly channels: number;
  readonly channelMultEmb: number;
  readonly noiseMult: number;
  readonly embedding: "positional" | "fourier";
  readonly augmentLabels: number;
  readonly labelDropout: number;
}

/** Noise level, class, augmentation and scalar entries as one vector, [B, channels·channelMultEmb]. No label means a zero label row. */
function embed(model: Scope, options: EmbeddingOptions, classes: number, cNoise: Tensor, condition: Condition): Tensor {
  const { init } = songStyle;
  const [width, wide] = [options.channels * options.noiseMult, options.channels * options.channelMultEmb];
  const frequencies =
    options.embedding === "fourier"
      ? mul(stopGradient(fourierFrequencies(model.at("map_noise"), width / 2)), 2 * Math.PI)
      : positionalFrequencies(width / 2, { endpoint: true });
  const embedLevel = (c: Tensor) => sinusoid(c, frequencies, { first: "sin" });
  let emb = embedLevel(cNoise);
  emb = addClass(model.at("map_label"), emb, condition, {
    inputs: classes,
    width,
    bias: true,
    gain: Math.sqrt(classes),
    init,
    labelDropout: options.labelDropout,
  });
  emb = addAugmentation(model.at("map_augment"), emb, condition, {
    inputs: options.augmentLabels,
    width,
    init,
  });
  emb = silu(linear(model.at("map_layer0"), emb, wide, { init }));
  emb = linear(model.at("map_layer1"), emb, wide, { init });
  return silu(addScalarEntries(model, emb, condition, embedLevel));
}

/** f ~ N(0, 16²), [n], drawn once. */
const fourierFrequencies = (scope: Scope, n: number): Tensor =>
  scope.parameter("freqs", [n], frozen(normal(FOURIER_SCALE)));
