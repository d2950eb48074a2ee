import { add, attention, mul, reshape, slice, transpose } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { conv } from "./conv.ts";
import { groupNorm } from "./norm.ts";
import { type Initializer, type LayerStart, type Scope, zeros } from "./scope.ts";

/** What differs between families of networks. */
export interface SelfAttentionOptions {
  /** ε of the normalisation. */
  readonly eps?: number;
  /** Factor of the residual sum. */
  readonly scale?: number;
  /** How `qkv` starts; PyTorch's default without it. */
  readonly init?: Initializer | LayerStart;
  /** How `proj` starts; at zero without it. */
  readonly lastInit?: Initializer | LayerStart;
}

/**
 * EDM's self-attention over pixels, with residual: y = scale·(x + proj(softmax(qᵀk/√d)·v)), q, k, v from norm2(x).
 * x [B, C, H, W]; parameters `norm2`, `qkv` [3C, C, 1, 1] with channels ordered [head][d][q, k, v], `proj`.
 * NVlabs/edm training/networks.py.
 * @param heads must divide C
 * @param groups of the normalisation; must divide C
 */
export function selfAttention(
  scope: Scope,
  x: Tensor,
  heads: number,
  groups: number,
  { eps, scale = 1, init, lastInit = zeros }: SelfAttentionOptions = {},
): Tensor {
  const [B, C, H, W] = x.shape;
  const [d, N] = [C / heads, H * W];
  const normed = groupNorm(scope.at("norm2"), x, groups, eps);
  const qkv = conv(scope.at("qkv"), normed, 3 * C, { kernel: 1, init });
  // [B, heads, d, 3, N] → [3, B, heads, N, d], so that each part is one contiguous slice
  const parts = transpose(reshape(qkv, [B, heads, d, 3, N]), [3, 0, 1, 4, 2]);
  const [q, k, v] = [0, 1, 2].map((part) =>
    reshape(slice(parts, { axis: 0, start: part, end: part + 1 }), [B, heads, N, d]),
  );
  const mixed = transpose(attention(q, k, v, { scale: 1 / Math.sqrt(d) }));
  const y = reshape(mixed, [B, C, H, W]);
  const sum = add(x, conv(scope.at("proj"), y, C, { kernel: 1, init: lastInit }));
  return scale === 1 ? sum : mul(sum, scale);
}
