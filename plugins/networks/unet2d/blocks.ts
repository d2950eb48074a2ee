import { conv, groupNorm, linear, type Scope, transformerBlock } from "../../../core/nn/mod.ts";
import { add, reshape, slice, transpose, upsampleNearest } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import type { Level } from "./plan.ts";

/** What every block needs besides its own input. */
export interface Surroundings {
  /** silu of the time embedding, [B, E]. */
  readonly emb: Tensor;
  /** Tokens of the text, [B, L, D]. */
  readonly text: () => Tensor;
  /** Groups of every normalisation. */
  readonly groups: number;
  /** ε of residual blocks; transformers have 1e-6. */
  readonly eps: number;
  /** Whether the projections around a transformer are linear layers, else 1×1 convolutions. */
  readonly linearProjection: boolean;
}

/**
 * h = conv1(silu(norm1 x)) + time_emb_proj(emb);  y = shortcut(x) + conv2(silu(norm2 h)).
 * x [B, C, H, W] → [B, channels, H, W]; `conv_shortcut` only where the channels change. ResnetBlock2D of diffusers.
 */
export function residualBlock(scope: Scope, x: Tensor, channels: number, { emb, groups, eps }: Surroundings): Tensor {
  const activated = (at: Scope, image: Tensor) => groupNorm(at, image, groups, eps, { activation: "silu" });
  let h = conv(scope.at("conv1"), activated(scope.at("norm1"), x), channels);
  const shift = linear(scope.at("time_emb_proj"), emb, channels);
  h = add(h, reshape(shift, [x.shape[0], channels, 1, 1]));
  h = conv(scope.at("conv2"), activated(scope.at("norm2"), h), channels);
  const same = x.shape[1] === channels;
  return add(same ? x : conv(scope.at("conv_shortcut"), x, channels, { kernel: 1 }), h);
}

/**
 * Pixels as tokens through `layers` transformer blocks that look at the text, with a projection before and after and a
 * residual around. x [B, C, H, W] → [B, C, H, W]. Transformer2DModel of diffusers.
 */
export function spatialTransformer(
  scope: Scope,
  x: Tensor,
  { transformer: layers, heads }: Level,
  { text, groups, linearProjection }: Surroundings,
): Tensor {
  const [B, C, H, W] = x.shape;
  // Heads that do not divide the channels leave some out, as diffusers does.
  const inner = Math.floor(C / heads) * heads;
  const tokens = (image: Tensor) => transpose(reshape(image, [B, image.shape[1], H * W]), [0, 2, 1]);
  const image = (rows: Tensor) => reshape(transpose(rows, [0, 2, 1]), [B, rows.shape[2], H, W]);
  const normed = groupNorm(scope.at("norm"), x, groups, 1e-6);
  let h = linearProjection
    ? linear(scope.at("proj_in"), tokens(normed), inner)
    : tokens(conv(scope.at("proj_in"), normed, inner, { kernel: 1 }));
  const blocks = scope.at("transformer_blocks");
  for (let i = 0; i < layers; i++) h = transformerBlock(blocks.at(i), h, heads, text());
  const out = linearProjection
    ? image(linear(scope.at("proj_out"), h, C))
    : conv(scope.at("proj_out"), image(h), C, { kernel: 1 });
  return add(out, x);
}

/** Half the size, rounded up: a 3×3 convolution with stride 2. [B, C, H, W] → [B, C, ⌈H/2⌉, ⌈W/2⌉]. */
export const downsample = (scope: Scope, x: Tensor): Tensor =>
  conv(scope.at("downsamplers").at(0).at("conv"), x, x.shape[1], { stride: 2 });

/**
 * Every pixel doubled, then a 3×3 convolution. Where `like` [B, …, H, W] is a pixel short of twice the size, as after
 * rounding up on the way down, the last row or column is left out: the nearest pixels of that size are the same.
 */
export function upsample(scope: Scope, x: Tensor, like: Tensor): Tensor {
  const [H, W] = like.shape.slice(-2);
  let h = upsampleNearest(x, { factor: 2 });
  h = slice(slice(h, { axis: 2, start: 0, end: H }), { axis: 3, start: 0, end: W });
  return conv(scope.at("upsamplers").at(0).at("conv"), h, x.shape[1]);
}
