import { failure } from "../../core/errors.ts";
import { type Condition, DATA_SHAPE, type Network } from "../../core/interfaces/mod.ts";
import { conv, groupNorm, linear, type Scope, timestepEmbedding, zeros } from "../../core/nn/mod.ts";
import { add, concat, reshape, silu } from "../../core/ops/mod.ts";
import { boolean, choice, definePlugin, list, number } from "../../core/plugin/mod.ts";
import { formatShape, type Tensor } from "../../core/tensor/mod.ts";
import { addScalarEntries } from "./shared/scalarEntries.ts";
import { downsample, residualBlock, type Surroundings, spatialTransformer, upsample } from "./unet2d/blocks.ts";
import { downBlocks, type Level, type Plan, planLevels, type UNet2dOptions, upBlocks } from "./unet2d/plan.ts";
import { scaleEmbedding } from "./unet2d/scaleEmbedding.ts";

const count = number({ min: 1, integer: true });

/**
 * The text-conditional U-Net of Stable Diffusion 1.x and SDXL: `UNet2DConditionModel` of diffusers, with its state-dict
 * names and PyTorch's starting values. Down: residual blocks, each with a transformer that looks at the text in "CrossAttn"
 * levels, then a stride-2 convolution; a middle of block, transformer, block; up: the same with one more block per level, each
 * joined by an activation from the way down. x [B, C, H, W], cNoise [B] (a timestep, 0…999) → [B, C, H, W]; any H and W.
 * The condition gives `text` [B, L, D] and, where `timeIdWidth` is not 0, `pooled` [B, P] and `timeIds` [B, 6]; where
 * `guidanceWidth` is not 0, `guidance` [B], the scale that a latent consistency model has learned (arXiv:2310.04378); a teacher has none.
 * Without such a width, `guidance` and also `end` are read as other networks read them (scalarEntries.ts).
 * Features are the middle's output, [B, C', h, w]. The defaults are SD 1.5: 859,520,964 parameters with D = 768.
 * Rombach et al. 2022, arXiv:2112.10752; Podell et al. 2023, SDXL, arXiv:2307.01952.
 */
export const unet2d = definePlugin({
  name: "unet2d",
  kind: "network",
  about: "Text-conditional U-Net for latents, as in Stable Diffusion 1.x and SDXL",
  options: {
    channels: list(count, {
      default: [320, 640, 1280, 1280],
      about: "channels at each resolution; each next one halves the image",
    }),
    layersPerBlock: list(count, {
      default: [2],
      about: "residual blocks at each resolution, or one number for all; one more on the way up",
    }),
    downBlocks: list(choice(downBlocks), {
      default: ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
      about: "what each resolution is made of on the way down",
    }),
    upBlocks: list(choice(upBlocks), {
      default: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
      about: "the same on the way up, lowest resolution first",
    }),
    heads: list(count, {
      default: [8],
      about: "attention heads at each resolution, or one number for all",
    }),
    transformerLayers: list(count, {
      default: [1],
      about: "transformer blocks after a residual block, at each resolution or one number for all",
    }),
    groups: number({
      default: 32,
      min: 1,
      integer: true,
      about: "groups of every normalisation; must divide all channels",
    }),
    eps: number({ default: 1e-5, above: 0, about: "added to variances, outside transformers" }),
    linearProjection: boolean({
      default: false,
      about: "whether transformers are entered and left by linear layers, as in SDXL",
    }),
    timeIdWidth: number({
      default: 0,
      min: 0,
      integer: true,
      about: "width of the embedding of each of the six time ids, 256 in SDXL; 0 for a network without",
    }),
    guidanceWidth: number({
      default: 0,
      min: 0,
      integer: true,
      about: "width of the embedded guidance of a latent consistency model, 256; 0 for a network without",
    }),
    embeddingFirst: choice(["cos", "sin"], {
      default: "cos",
      about: "which half of an embedded timestep or size comes first",
    }),
    embeddingShift: number({
      default: 0,
      min: 0,
      max: 1,
      about: "taken off the number of its frequencies in their exponent",
    }),
  },
  create(options, container): Network {
    const { sample } = container.get(DATA_SHAPE);
    if (sample.length !== 3)
      throw failure(
        "E_CONFIG",
        `Cannot use unet2d for samples ${formatShape(sample)}: they should be pictures or latents [C, H, W]`,
        { fix: "choose a dataset of those, such as `latents`, or another network" },
      );
    const plan = planLevels(options);
    const { groups, eps, linearProjection } = options;
    const surroundings = (scope: Scope, cNoise: Tensor, condition: Condition): Surroundings => ({
      groups,
      eps,
      linearProjection,
      emb: silu(embed(scope, options, cNoise, condition)),
      text: () => needed(condition, "text", "[B, L, D]"),
    });
    return {
      features(scope, x, cNoise, condition) {
        const around = surroundings(scope, cNoise, condition);
        return middle(scope, plan, encode(scope, plan, x, around).x, around);
      },
      apply(scope, x, cNoise, condition) {
        const around = surroundings(scope, cNoise, condition);
        const encoded = encode(scope, plan, x, around);
        const h = middle(scope, plan, encoded.x, around);
        const y = decode(scope, plan, { x: h, skips: encoded.skips }, around);
        const out = groupNorm(scope.at("conv_norm_out"), y, groups, eps, { activation: "silu" });
        return conv(scope.at("conv_out"), out, sample[0]);
      },
    };
  },
});

/** Timestep, and text and sizes where the network takes them, as one vector [B, 4·channels[0]]. */
function embed(
  scope: Scope,
  { channels, timeIdWidth, guidanceWidth, embeddingFirst: first, embeddingShift: shift }: UNet2dOptions,
  timestep: Tensor,
  condition: Condition,
): Tensor {
  const width = 4 * channels[0];
  const twoLayers = (at: Scope, x: Tensor) =>
    linear(at.at("linear_2"), silu(linear(at.at("linear_1"), x, width)), width);
  const embedded = (c: Tensor, size: number) => timestepEmbedding(c, { width: size, first, shift });
  const time = scope.at("time_embedding");
  const embedTime = (t: Tensor) => embedded(t, channels[0]);
  const told = embedTime(timestep);
  const { guidance, ...rest } = condition;
  const own = guidanceWidth > 0 && guidance;
  const layers = twoLayers(time, own ? add(told, guidanceOf(time, guidance, guidanceWidth, channels[0])) : told);
  const others = own ? rest : condition;
  const emb = addScalarEntries(scope, layers, others, embedTime);
  if (timeIdWidth === 0) return emb;
  const pooled = needed(condition, "pooled", "[B, P]");
  const ids = needed(condition, "timeIds", "[B, 6]");
  const [B, n] = ids.shape;
  const sizes = reshape(embedded(reshape(ids, [B * n]), timeIdWidth), [B, n * timeIdWidth]);
  return add(emb, twoLayers(scope.at("add_embedding"), concat([pooled, sizes], 1)));
}

/** The embedded guidance scale, projected to the width of a timestep. It starts at zero: a fresh generator is its teacher. */
const guidanceOf = (scope: Scope, guidance: Tensor, width: number, channels: number): Tensor =>
  linear(scope.at("cond_proj"), scaleEmbedding(guidance, width), channels, { bias: false, init: zeros });

function needed(condition: Condition, name: "text" | "pooled" | "timeIds", shape: string): Tensor {
  const found = condition[name];
  if (!found)
    throw failure("E_CONFIG", `Cannot apply unet2d: the condition has no ${name}, it should be ${shape}`, {
      fix: "use data whose samples are described by it, such as the dataset latents",
    });
  return found;
}

/** The last activation, and all of them, first to last, for the way up. */
interface Encoded {
  readonly x: Tensor;
  readonly skips: readonly Tensor[];
}

function encode(scope: Scope, { down }: Plan, x: Tensor, around: Surroundings): Encoded {
  const skips = [conv(scope.at("conv_in"), x, down[0].channels)];
  down.forEach((level, i) => {
    const at = scope.at("down_blocks").at(i);
    for (let k = 0; k < level.blocks; k++) skips.push(blockOf(at, level, k, skips[skips.length - 1], around));
    if (i < down.length - 1) skips.push(downsample(at, skips[skips.length - 1]));
  });
  return { x: skips[skips.length - 1], skips };
}

function middle(scope: Scope, plan: Plan, x: Tensor, around: Surroundings): Tensor {
  const at = scope.at("mid_block");
  const h = blockOf(at, plan.middle, 0, x, around);
  return residualBlock(at.at("resnets").at(1), h, plan.middle.channels, around);
}

function decode(scope: Scope, { up }: Plan, { x, skips }: Encoded, around: Surroundings): Tensor {
  const waiting = [...skips];
  return up.reduce((entered, level, i) => {
    const at = scope.at("up_blocks").at(i);
    let h = entered;
    for (let k = 0; k < level.blocks; k++) h = blockOf(at, level, k, concat([h, waiting.pop()!], 1), around);
    return i < up.length - 1 ? upsample(at, h, waiting[waiting.length - 1]) : h;
  }, x);
}

/** Residual block number k of a level, with its transformer, if it has one. */
function blockOf(scope: Scope, level: Level, k: number, x: Tensor, around: Surroundings): Tensor {
  const h = residualBlock(scope.at("resnets").at(k), x, level.channels, around);
  if (level.transformer === 0) return h;
  return spatialTransformer(scope.at("attentions").at(k), h, level, around);
}
