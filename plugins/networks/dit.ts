import { failure } from "../../core/errors.ts";
import { type Condition, classesOf, DATA_SHAPE, DROPOUT, type Network } from "../../core/interfaces/mod.ts";
import { conv, linear, normal, type Scope, timestepEmbedding, xavierUniform, zeros } from "../../core/nn/mod.ts";
import {
  add,
  constant,
  constantArray,
  less,
  reshape,
  silu,
  slice,
  takeRows,
  transpose,
  where,
} from "../../core/ops/mod.ts";
import { boolean, definePlugin, number, optional } from "../../core/plugin/mod.ts";
import { formatShape, type Shape, type Tensor } from "../../core/tensor/mod.ts";
import { type DitBlockOptions, ditBlock, finalLayer } from "./dit/blocks.ts";
import { gridPositions } from "./dit/positions.ts";
import { addScalarEntries } from "./shared/scalarEntries.ts";

/** Width of the sinusoidal embedding of a time. */
const TIME_WIDTH = 256;

/**
 * DiT, a transformer over patches of an image, told time and class by adaptive layer norms that start at zero.
 *   tokens = x_embedder(x) + pos_embed;   c = t_embedder(t) + y_embedder(label);   blocks;   patches = final_layer(tokens, c)
 * x [B, C, H, W], cNoise [B] (a time: 0…999 in published models) → [B, C, H, W]; H and W are multiples of `patch`. A sample
 * without a class takes the row after the last class of `y_embedder`, which exists where classes are dropped in training.
 * Features are the activation after `tap` blocks, [B, width, H/patch, W/patch].
 * Names, order and starting values are those of facebookresearch/DiT. The defaults are DiT-XL/2, of which ImageNet-256 in latents
 * [4, 32, 32] makes 675,129,632 parameters with `learnSigma`, `pos_embed` (294,912, derived) included.
 * Peebles & Xie 2023, arXiv:2212.09748.
 */
export const dit = definePlugin({
  name: "dit",
  kind: "network",
  about: "Diffusion transformer over patches (DiT), with classes, for latents and small images",
  options: {
    width: number({ default: 1152, min: 4, integer: true, about: "width of a token, a multiple of 4 and of heads" }),
    depth: number({ default: 28, min: 1, max: 1000, integer: true, about: "blocks" }),
    heads: number({ default: 16, min: 1, integer: true, about: "attention heads of a block" }),
    patch: number({ default: 2, min: 1, integer: true, about: "pixels, or latents, on a side of a token" }),
    mlpRatio: number({ default: 4, above: 0, about: "width inside a block's MLP, in units of `width`" }),
    labelDropout: number({
      default: 0.1,
      min: 0,
      max: 1,
      about: "probability that a class is dropped in training, for guidance",
    }),
    learnSigma: boolean({
      default: false,
      about: "whether the last layer has channels for a variance too, as published models do; they are not used",
    }),
    tap: optional(number({ min: 1, integer: true }), {
      about: "blocks before the activation that a discriminator reads; half of them without",
    }),
  },
  create(options, container): Network {
    const shape = container.get(DATA_SHAPE);
    const tap = checked(options, shape.sample);
    const { depth, patch, learnSigma, labelDropout } = options;
    const classes = classesOf(shape);
    const embedder = { width: options.width, classes, labelDropout };
    const [C] = shape.sample;

    /** The tokens after so many blocks, and the condition. */
    const trunk = (scope: Scope, x: Tensor, cNoise: Tensor, condition: Condition, blocks: number) => {
      const c = conditionVector(scope, cNoise, condition, embedder);
      let tokens = tokensOf(scope, x, options);
      for (let i = 0; i < blocks; i++) tokens = ditBlock(scope.at("blocks").at(i), tokens, c, options);
      return { tokens, c };
    };
    return {
      knowsNoClass: labelDropout > 0,
      features(scope, x, ...rest) {
        const { tokens } = trunk(scope, x, ...rest, tap);
        const [B, , H, W] = x.shape;
        return reshape(transpose(tokens, [0, 2, 1]), [B, options.width, H / patch, W / patch]);
      },
      apply(scope, x, ...rest) {
        const { tokens, c } = trunk(scope, x, ...rest, depth);
        const channels = learnSigma ? 2 * C : C;
        const patches = finalLayer(scope.at("final_layer"), tokens, c, patch * patch * channels);
        const y = imageOf(patches, x.shape, patch, channels);
        return learnSigma ? slice(y, { axis: 1, start: 0, end: C }) : y;
      },
    };
  },
});

type DitOptions = DitBlockOptions & {
  readonly width: number;
  readonly depth: number;
  readonly patch: number;
  readonly tap?: number;
};

/** After how many blocks features are read. @throws E_OPTION for sizes that do not divide, and samples that are no images */
function checked({ width, depth, heads, patch, tap }: DitOptions, sample: Shape): number {
  const refuse = (why: string) => failure("E_OPTION", `Cannot configure dit: ${why}`);
  if (sample.length !== 3)
    throw refuse(`samples are ${formatShape(sample)}, should be images [channels, height, width]`);
  const [, H, W] = sample;
  if (H % patch !== 0 || W % patch !== 0)
    throw refuse(`patch is ${patch}, should divide the height and width of samples, ${H} and ${W}`);
  if (width % 4 !== 0 || width % heads !== 0)
    throw refuse(`width is ${width} and heads ${heads}, width should be a multiple of 4 and of heads`);
  if (tap !== undefined && tap > depth) throw refuse(`tap is ${tap}, should be at most depth, ${depth}`);
  return tap ?? Math.ceil(depth / 2);
}

/** A token for each patch, with its place. x [B, C, H, W] → [B, H·W/patch², width]. */
function tokensOf(scope: Scope, x: Tensor, { width, patch }: DitOptions): Tensor {
  const [B, , H, W] = x.shape;
  const [h, w] = [H / patch, W / patch];
  const embedded = conv(scope.at("x_embedder").at("proj"), x, width, {
    kernel: patch,
    stride: patch,
    padding: 0,
    init: (fanIn) => ({ weight: xavierUniform(fanIn, width), bias: zeros }),
  });
  const positions = gridPositions(h, w, width);
  scope.derived("pos_embed", [1, h * w, width], () => positions);
  return add(transpose(reshape(embedded, [B, width, h * w]), [0, 2, 1]), constantArray(positions, [1, h * w, width]));
}

interface EmbedderOptions {
  readonly width: number;
  /** 0 for none. */
  readonly classes: number;
  readonly labelDropout: number;
}

/** Time, scalar entries and class as one vector, [B, width]. */
function conditionVector(scope: Scope, time: Tensor, condition: Condition, options: EmbedderOptions): Tensor {
  const { width, classes } = options;
  const mlp = scope.at("t_embedder").at("mlp");
  const init = () => ({ weight: normal(0.02), bias: zeros });
  const embedTime = (t: Tensor) => timestepEmbedding(t, { width: TIME_WIDTH });
  const hidden = silu(linear(mlp.at(0), embedTime(time), width, { init }));
  const t = addScalarEntries(scope, linear(mlp.at(2), hidden, width, { init }), condition, embedTime);
  const y = classes > 0 && classVector(scope.at("y_embedder"), time.shape[0], condition, options);
  return y ? add(t, y) : t;
}

/** The row of each class, [B, width], some dropped where there are draws for it; undefined where nothing stands for no class. */
function classVector(
  scope: Scope,
  B: number,
  { label, [DROPOUT]: draws }: Condition,
  { width, classes, labelDropout }: EmbedderOptions,
): Tensor | undefined {
  const knowsNone = labelDropout > 0;
  const rows = classes + (knowsNone ? 1 : 0);
  const table = scope.at("embedding_table").parameter("weight", [rows, width], normal(0.02));
  const none = () => takeRows(table, constant(classes, "i32", [B]));
  if (!label) return knowsNone ? none() : undefined;
  const own = takeRows(table, label);
  return knowsNone && draws ? where(less(draws.uniform([B, 1]), labelDropout), none(), own) : own;
}

/** Patches [B, N, patch·patch·channels], a pixel's channels side by side, as an image [B, channels, H, W]. */
function imageOf(patches: Tensor, [B, , H, W]: Shape, patch: number, channels: number): Tensor {
  const parts = reshape(patches, [B, H / patch, W / patch, patch, patch, channels]);
  return reshape(transpose(parts, [0, 5, 1, 3, 2, 4]), [B, channels, H, W]);
}
