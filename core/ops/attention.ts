import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { defineOp, type Op } from "./op.ts";
import { softmax } from "./softmax.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

interface AttentionAttrs {
  /** Factor on q·k before the softmax; 1/√D is the usual one. */
  readonly scale: number;
}

const attend: Op<[q: Tensor, k: Tensor, v: Tensor, attrs: AttentionAttrs]> = defineOp({
  name: "attention",
  signature: "q[... N D], k[... M D], v[... M E] -> y[... N E]",
  attrs: { scale: 1 } as AttentionAttrs,
  // p = softmax(s), s = scale·q·kᵀ:  dv = pᵀ·dy,  dp = dy·vᵀ,  ds = p·(dp − Σ dp·p),  dq = scale·ds·k,  dk = scale·dsᵀ·q
  vjp: ({ q, k, v, attrs: { scale } }, dy) => {
    const p = softmax(mul(matmul(q, k, { transB: true }), scale));
    const dp = matmul(dy, v, { transB: true });
    const ds = mul(mul(p, sub(dp, sum(mul(dp, p), { axes: [-1], keepDims: true }))), scale);
    return {
      q: matmul(ds, k),
      k: matmul(ds, q, { transA: true }),
      v: matmul(p, dy, { transA: true }),
    };
  },
  reference: ({ N, M, D, E, scale }, q, k, v, y) => {
    const p = new Float64Array(M);
    for (let n = 0; n < N; n++) {
      let top = -Infinity;
      for (let m = 0; m < M; m++) {
        p[m] = 0;
        for (let d = 0; d < D; d++) p[m] += scale * q[n * D + d] * k[m * D + d];
        top = Math.max(top, p[m]);
      }
      let total = 0;
      for (let m = 0; m < M; m++) total += p[m] = Math.exp(p[m] - top);
      for (let m = 0; m < M; m++)
        for (let e = 0; e < E; e++) y[n * E + e] += (p[m] / total) * v[m * E + e];
    }
  },
});

/**
 * y = softmax(scale · q·kᵀ + mask)·v over the last two axes; leading axes (batch, heads) broadcast. `scale` is 1/√D when
 * absent. The mask [..., N, M] is added to the logits: −∞ where a query must not look. With a mask the attention is
 * composed of products and a softmax; masks are met in text encoders only.
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { scale, mask }: Partial<AttentionAttrs> & { readonly mask?: Tensor } = {},
): Tensor {
  const factor = scale ?? 1 / Math.sqrt(q.shape.at(-1) ?? 1);
  if (!mask) return attend(q, k, v, { scale: factor });
  const logits = add(mul(matmul(q, k, { transB: true }), factor), mask);
  return matmul(softmax(logits), v);
}
attention.spec = attend.spec;
