import { conv, groupNorm, linear, type Scope } from "../../../core/nn/mod.ts";
import { add, attention, clamp, pad, reshape, split, transpose, upsampleNearest } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Sizes of an `AutoencoderKL`, by the names of its `config.json`. */
export interface AutoencoderKlOptions {
  /** `block_out_channels`, from the picture inwards; each level but the last halves the picture. */
  readonly channels: readonly number[];
  /** `layers_per_block`: residual blocks of a level on the way down; one more on the way up. */
  readonly layers: number;
  /** `latent_channels` */
  readonly latentChannels: number;
  /** `out_channels` */
  readonly pictureChannels: number;
  /** `norm_num_groups`; must divide all channels. */
  readonly groups: number;
  /** Whether latents pass 1 × 1 convolutions between both halves, as `use_quant_conv` says; they do where absent. */
  readonly bridged?: boolean;
}

const EPSILON = 1e-6;

/** What the encoder says of pictures: a Gaussian for each latent value. */
export interface LatentDistribution {
  readonly mean: Tensor;
  /** Clamped to [-30, 20]. */
  readonly logVariance: Tensor;
}

/**
 * Pictures [B, C, H, W] in [-1, 1] → means and log variances of latents [B, L, H/2ⁿ, W/2ⁿ], not yet scaled. Parameters have the
 * names of diffusers' `AutoencoderKL`. Rombach et al. 2022, arXiv:2112.10752.
 */
export function encodeKl(scope: Scope, x: Tensor, options: AutoencoderKlOptions): LatentDistribution {
  const { channels, layers, latentChannels, bridged = true } = options;
  const encoder = scope.at("encoder");
  let h = conv(encoder.at("conv_in"), x, channels[0]);
  for (const [level, width] of channels.entries()) {
    const block = encoder.at("down_blocks").at(level);
    for (let i = 0; i < layers; i++) h = residual(block.at("resnets").at(i), h, width, options);
    if (level < channels.length - 1) h = halved(block.at("downsamplers").at(0).at("conv"), h);
  }
  h = output(encoder, middle(encoder.at("mid_block"), h, options), 2 * latentChannels, options);
  const moments = bridged ? conv(scope.at("quant_conv"), h, 2 * latentChannels, { kernel: 1 }) : h;
  const [mean, logVariance] = split(moments, 2, 1);
  return { mean, logVariance: clamp(logVariance, { min: -30, max: 20 }) };
}

/** Latents [B, L, h, w], no longer scaled → pictures [B, C, h·2ⁿ, w·2ⁿ], about [-1, 1]. */
export function decodeKl(scope: Scope, z: Tensor, options: AutoencoderKlOptions): Tensor {
  const { layers, pictureChannels, bridged = true } = options;
  const channels = [...options.channels].reverse();
  const decoder = scope.at("decoder");
  let h = bridged ? conv(scope.at("post_quant_conv"), z, z.shape[1], { kernel: 1 }) : z;
  h = middle(decoder.at("mid_block"), conv(decoder.at("conv_in"), h, channels[0]), options);
  for (const [level, width] of channels.entries()) {
    const block = decoder.at("up_blocks").at(level);
    for (let i = 0; i <= layers; i++) h = residual(block.at("resnets").at(i), h, width, options);
    if (level < channels.length - 1)
      h = conv(block.at("upsamplers").at(0).at("conv"), upsampleNearest(h, { factor: 2 }), width);
  }
  return output(decoder, h, pictureChannels, options);
}

/** The last layers of either half. */
function output(scope: Scope, x: Tensor, channels: number, { groups }: AutoencoderKlOptions): Tensor {
  return conv(
    scope.at("conv_out"),
    groupNorm(scope.at("conv_norm_out"), x, groups, EPSILON, { activation: "silu" }),
    channels,
  );
}

/** Zeros are added below and to the right only, as in the official encoder. */
function halved(scope: Scope, x: Tensor): Tensor {
  const below = pad(x, { axis: 2, before: 0, after: 1 });
  return conv(scope, pad(below, { axis: 3, before: 0, after: 1 }), x.shape[1], { stride: 2, padding: 0 });
}

/** y = x + conv2(silu(norm2(conv1(silu(norm1(x)))))), with a 1 × 1 convolution of x where channels change. */
function residual(scope: Scope, x: Tensor, channels: number, { groups }: AutoencoderKlOptions): Tensor {
  const normed = (name: string, h: Tensor) => groupNorm(scope.at(name), h, groups, EPSILON, { activation: "silu" });
  const h = conv(scope.at("conv1"), normed("norm1", x), channels);
  const y = conv(scope.at("conv2"), normed("norm2", h), channels);
  const skip = x.shape[1] === channels ? x : conv(scope.at("conv_shortcut"), x, channels, { kernel: 1 });
  return add(skip, y);
}

function middle(scope: Scope, x: Tensor, options: AutoencoderKlOptions): Tensor {
  const C = x.shape[1];
  const h = residual(scope.at("resnets").at(0), x, C, options);
  return residual(scope.at("resnets").at(1), attended(scope.at("attentions").at(0), h, options), C, options);
}

/** Attention of all pixels to each other, in one head. */
function attended(scope: Scope, x: Tensor, { groups }: AutoencoderKlOptions): Tensor {
  const [B, C, H, W] = x.shape;
  const normed = groupNorm(scope.at("group_norm"), x, groups, EPSILON);
  const tokens = transpose(reshape(normed, [B, C, H * W]), [0, 2, 1]);
  const [q, k, v] = ["to_q", "to_k", "to_v"].map((name) => linear(scope.at(name), tokens, C));
  const mixed = linear(scope.at("to_out").at(0), attention(q, k, v), C);
  return add(x, reshape(transpose(mixed, [0, 2, 1]), [B, C, H, W]));
}
