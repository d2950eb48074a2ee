import { blockOf } from "../../../core/graph/mod.ts";
import { type LayerStart, linear, type Scope, xavierUniform, zeros } from "../../../core/nn/mod.ts";
import {
  add,
  attention,
  geluTanh,
  layerNorm,
  mul,
  reshape,
  silu,
  slice,
  split,
  transpose,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Of every normalisation, which has no weights of its own. */
const EPS = 1e-6;

/** Linear layers start so, unless they say otherwise. */
export const xavier: LayerStart = (fanIn, fanOut) => ({ weight: xavierUniform(fanIn, fanOut), bias: zeros });

/** Sizes of a block. */
export interface DitBlockOptions {
  readonly heads: number;
  /** Width of the hidden layer, in units of the tokens' width. */
  readonly mlpRatio: number;
}

/**
 * One block, in which the condition moves, scales and gates both parts (adaLN-Zero):
 *   [s₁, a₁, g₁, s₂, a₂, g₂] = adaLN_modulation.1(silu(c))
 *   x += g₁·attn((1 + a₁)·norm(x) + s₁);   x += g₂·mlp((1 + a₂)·norm(x) + s₂)
 * x [B, N, D], c [B, D] → [B, N, D]. The modulation starts at zero, so that a new block is the identity.
 */
export const ditBlock = (scope: Scope, x: Tensor, c: Tensor, { heads, mlpRatio }: DitBlockOptions): Tensor =>
  blockOf(() => {
    const [shift1, scale1, gate1, shift2, scale2, gate2] = modulation(scope, c, 6);
    const h = add(x, mul(gate1, attended(scope.at("attn"), modulated(x, shift1, scale1), heads)));
    const inner = Math.round(mlpRatio * x.shape[2]);
    return add(h, mul(gate2, feedForward(scope.at("mlp"), modulated(h, shift2, scale2), inner)));
  });

/** The last layer: out = linear((1 + a)·norm(x) + s), starting at zero. x [B, N, D] → [B, N, outputs]. */
export function finalLayer(scope: Scope, x: Tensor, c: Tensor, outputs: number): Tensor {
  const [shift, scale] = modulation(scope, c, 2);
  return linear(scope.at("linear"), modulated(x, shift, scale), outputs, { init: zeros });
}

/** `count` vectors [B, 1, D] that the condition says. */
function modulation(scope: Scope, c: Tensor, count: number): Tensor[] {
  const [B, D] = c.shape;
  const all = linear(scope.at("adaLN_modulation").at(1), silu(c), count * D, { init: zeros });
  return split(reshape(all, [B, 1, count * D]), count, 2);
}

const modulated = (x: Tensor, shift: Tensor, scale: Tensor): Tensor =>
  add(mul(layerNorm(x, undefined, undefined, { eps: EPS }), add(scale, 1)), shift);

/** proj(softmax(q·kᵀ/√d)·v) in each head; `qkv` [3D, D] has all queries first, then all keys. */
function attended(scope: Scope, x: Tensor, heads: number): Tensor {
  const [B, N, D] = x.shape;
  const qkv = linear(scope.at("qkv"), x, 3 * D, { init: xavier });
  // [B, N, 3, heads, d] → [3, B, heads, N, d], so that each part is one contiguous slice
  const parts = transpose(reshape(qkv, [B, N, 3, heads, D / heads]), [2, 0, 3, 1, 4]);
  const [q, k, v] = [0, 1, 2].map((part) =>
    reshape(slice(parts, { axis: 0, start: part, end: part + 1 }), [B, heads, N, D / heads]),
  );
  const joined = reshape(transpose(attention(q, k, v), [0, 2, 1, 3]), [B, N, D]);
  return linear(scope.at("proj"), joined, D, { init: xavier });
}

/** fc2(gelu(fc1 x)), with the tanh form of GELU. */
const feedForward = (scope: Scope, x: Tensor, inner: number): Tensor =>
  linear(scope.at("fc2"), geluTanh(linear(scope.at("fc1"), x, inner, { init: xavier })), x.shape[2], { init: xavier });
