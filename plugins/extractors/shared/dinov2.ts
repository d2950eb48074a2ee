import { layerNorm, linear, normal, ones, type Scope, zeros } from "../../../core/nn/mod.ts";
import {
  add,
  attention,
  broadcastTo,
  concat,
  conv2d,
  gelu,
  interpolate,
  mul,
  reshape,
  slice,
  transpose,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Sizes of a DINOv2 network. */
export interface DinoOptions {
  readonly width: number;
  readonly layers: number;
  /** Must divide the width. */
  readonly heads: number;
  /** Height and width of a patch in pixels. */
  readonly patch: number;
  /** Patches along a side of the pictures that the places were trained for: 518/14 = 37. */
  readonly grid: number;
  /** Register tokens, 0 or 4. Darcet et al. 2023, arXiv:2309.16588. */
  readonly registers: number;
}

const EPSILON = 1e-6;

/**
 * DINOv2's vision transformer. x [B, 3, H, W], normalised, H and W multiples of the patch → the class token after the last layer
 * and its norm [B, width]. Each part has its norm before and a learned scale of every channel (LayerScale) before the residual:
 *   x += ls1 ⊙ attn(norm1 x);  x += ls2 ⊙ mlp(norm2 x)
 * Tokens are the class token, the registers, which have no place, and the patches. Parameters have the names of the official
 * state dict, `cls_token`, `pos_embed`, `patch_embed.proj.weight`, `blocks.0.attn.qkv.weight`, …; its `mask_token` is for training.
 * Oquab et al. 2023, arXiv:2304.07193.
 */
export function dinov2(scope: Scope, x: Tensor, options: DinoOptions): Tensor {
  const { width, patch, layers, registers } = options;
  const [B, , H, W] = x.shape;
  const rows = [H / patch, W / patch] as const;
  const embed = scope.at("patch_embed").at("proj");
  const kernel = embed.parameter("weight", [width, 3, patch, patch], normal(0.02));
  const bias = embed.parameter("bias", [width], zeros);
  const seen = add(conv2d(x, kernel, { stride: [patch, patch], padding: [0, 0] }), reshape(bias, [1, width, 1, 1]));
  const patches = transpose(reshape(seen, [B, width, rows[0] * rows[1]]), [0, 2, 1]);
  const places = placesOf(scope, rows, options);
  const ofAll = (token: Tensor) => broadcastTo(token, { shape: [B, token.shape[1], width] });
  const first = add(scope.parameter("cls_token", [1, 1, width], normal(0.02)), places.first);
  const tokens = [ofAll(first), add(patches, places.patches)];
  if (registers > 0)
    tokens.splice(1, 0, ofAll(scope.parameter("register_tokens", [1, registers, width], normal(0.02))));
  let h = concat(tokens, 1);
  for (let i = 0; i < layers; i++) h = block(scope.at("blocks").at(i), h, options.heads);
  const last = reshape(slice(h, { axis: 1, start: 0, end: 1 }), [B, width]);
  return layerNorm(scope.at("norm"), last, EPSILON);
}

/**
 * Places of the class token [1, 1, width] and of the patches [1, rows · columns, width], resized from the trained grid where that is
 * another: bicubically; without registers by a factor of (rows + 0.1)/grid and with aliasing, as the official networks without
 * them had it when they were trained, with registers by the sizes and smoothed.
 */
function placesOf(scope: Scope, [rows, columns]: readonly [number, number], { width, grid, registers }: DinoOptions) {
  const all = scope.parameter("pos_embed", [1, 1 + grid * grid, width], normal(0.02));
  const part = (start: number, end: number) => slice(all, { axis: 1, start, end });
  const [first, patches] = [part(0, 1), part(1, 1 + grid * grid)];
  if (rows === grid && columns === grid) return { first, patches };
  const map = transpose(reshape(patches, [grid, grid, width]), [2, 0, 1]);
  const resized = interpolate(map, {
    size: [rows, columns],
    mode: "bicubic",
    ...(registers > 0 ? { antialias: true } : { scale: [(rows + 0.1) / grid, (columns + 0.1) / grid] }),
  });
  return { first, patches: reshape(transpose(resized, [1, 2, 0]), [1, rows * columns, width]) };
}

function block(scope: Scope, x: Tensor, heads: number): Tensor {
  const [, , D] = x.shape;
  const scaled = (name: string, y: Tensor) => mul(y, scope.at(name).parameter("gamma", [D], ones));
  const normed = (name: string, y: Tensor) => layerNorm(scope.at(name), y, EPSILON);
  const h = add(x, scaled("ls1", selfAttention(scope.at("attn"), normed("norm1", x), heads)));
  const mlp = scope.at("mlp");
  const inside = gelu(linear(mlp.at("fc1"), normed("norm2", h), 4 * D));
  return add(h, scaled("ls2", linear(mlp.at("fc2"), inside, D)));
}

function selfAttention(scope: Scope, x: Tensor, heads: number): Tensor {
  const [B, N, D] = x.shape;
  // [B, N, 3, heads, d] → [3, B, heads, N, d], so that each part is one contiguous slice
  const parts = transpose(reshape(linear(scope.at("qkv"), x, 3 * D), [B, N, 3, heads, D / heads]), [2, 0, 3, 1, 4]);
  const [q, k, v] = [0, 1, 2].map((part) =>
    reshape(slice(parts, { axis: 0, start: part, end: part + 1 }), [B, heads, N, D / heads]),
  );
  const mixed = transpose(attention(q, k, v), [0, 2, 1, 3]);
  return linear(scope.at("proj"), reshape(mixed, [B, N, D]), D);
}
