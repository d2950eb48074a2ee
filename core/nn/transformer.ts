import { add, attention, gelu, mul, reshape, split, transpose } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { linear } from "./linear.ts";
import { layerNorm } from "./norm.ts";
import type { Scope } from "./scope.ts";

/**
 * Attention of tokens x to `context`, or to themselves without one: softmax(q·kᵀ/√d)·v in each head, then `to_out.0`.
 * x [B, N, D], context [B, M, E] → [B, N, D]; parameters `to_q`, `to_k`, `to_v` without bias, `to_out.0`.
 * Names as in diffusers; Vaswani et al. 2017, arXiv:1706.03762.
 * @param heads must divide D; a head is D/heads neighbouring channels
 */
export function tokenAttention(scope: Scope, x: Tensor, heads: number, context: Tensor = x): Tensor {
  const [B, N, D] = x.shape;
  const part = (name: string, from: Tensor) => {
    const y = linear(scope.at(name), from, D, { bias: false });
    return transpose(reshape(y, [B, from.shape[1], heads, D / heads]), [0, 2, 1, 3]);
  };
  const mixed = attention(part("to_q", x), part("to_k", context), part("to_v", context));
  const joined = reshape(transpose(mixed, [0, 2, 1, 3]), [B, N, D]);
  return linear(scope.at("to_out").at(0), joined, D);
}

/**
 * Two layers with a gate between: (a, g) = net.0.proj(x), y = net.2(a · gelu(g)), with the exact GELU.
 * x [..., D] → [..., D], 4D wide inside. GEGLU, Shazeer 2020, arXiv:2002.05202.
 */
export function gegluFeedForward(scope: Scope, x: Tensor): Tensor {
  const D = x.shape[x.shape.length - 1];
  const net = scope.at("net");
  const [a, gate] = split(linear(net.at(0).at("proj"), x, 8 * D), 2, -1);
  return linear(net.at(2), mul(a, gelu(gate)), D);
}

/**
 * One layer of a latent-diffusion transformer, each part with its layer norm before and a residual around:
 *   x += attn1(norm1 x);  x += attn2(norm2 x, context);  x += ff(norm3 x)
 * x [B, N, D], context [B, M, E] → [B, N, D]. Rombach et al. 2022, arXiv:2112.10752; names as in diffusers.
 */
export function transformerBlock(scope: Scope, x: Tensor, heads: number, context: Tensor): Tensor {
  const own = tokenAttention(scope.at("attn1"), layerNorm(scope.at("norm1"), x), heads);
  const h = add(x, own);
  const text = tokenAttention(scope.at("attn2"), layerNorm(scope.at("norm2"), h), heads, context);
  const g = add(h, text);
  return add(g, gegluFeedForward(scope.at("ff"), layerNorm(scope.at("norm3"), g)));
}
