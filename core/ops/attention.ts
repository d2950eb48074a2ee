import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { attentionGrad, attentionGradParts } from "./attentionGrad.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { defineComposed } from "./composed.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { defineOp, type Op } from "./op.ts";
import { reshape } from "./reshape.ts";
import { softmax } from "./softmax.ts";

interface AttentionAttrs {
  /** Factor on q·k before the softmax; 1/√D is the usual one. */
  readonly scale: number;
}

const attend: Op<[q: Tensor, k: Tensor, v: Tensor, attrs: AttentionAttrs]> = defineOp({
  name: "attention",
  signature: "q[... N D], k[... M D], v[... M E] -> y[... N E]",
  attrs: { scale: 1 } as AttentionAttrs,
  // All batch axes as one; operands that have fewer are repeated, and `grad` sums their gradients over those.
  vjp: ({ q, k, v, y, attrs }, dy) => {
    const batch = y.shape.slice(0, -2);
    const joined = (x: Tensor) => {
      const core = x.shape.slice(-2);
      return reshape(broadcastTo(x, { shape: [...batch, ...core] }), [sizeOf(batch), ...core]);
    };
    const apart = (x: Tensor) => reshape(x, [...batch, ...x.shape.slice(1)]);
    const [q3, k3, v3] = [joined(q), joined(k), joined(v)];
    const all = attentionGrad(q3, k3, v3, joined(y), joined(dy), attrs);
    const { dq, dk, dv } = attentionGradParts(all, q3.shape, v3.shape);
    return { q: apart(dq), k: apart(dk), v: apart(dv) };
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
      for (let m = 0; m < M; m++) for (let e = 0; e < E; e++) y[n * E + e] += (p[m] / total) * v[m * E + e];
    }
  },
});

/**
 * y = softmax(scale · q·kᵀ + mask)·v over the last two axes; leading axes (batch, heads) broadcast. `scale` is 1/√D when
 * absent. The mask [..., N, M] is added to the logits: −∞ where a query must not look. With a mask the attention is
 * composed of products and a softmax; masks are met in text encoders only.
 */
export const attention: Op<
  [q: Tensor, k: Tensor, v: Tensor, options?: Partial<AttentionAttrs> & { readonly mask?: Tensor }],
  AttentionAttrs
> = defineComposed({
  name: "attention",
  parameters: ["q: Tensor", "k: Tensor", "v: Tensor", { "scale?": "number", "mask?": "Tensor" }],
  spec: attend.spec,
  build: (q, k, v, { scale, mask } = {}) => {
    const factor = scale ?? 1 / Math.sqrt(q.shape.at(-1) ?? 1);
    if (!mask) return attend(q, k, v, { scale: factor });
    const logits = add(mul(matmul(q, k, { transB: true }), factor), mask);
    return matmul(softmax(logits), v);
  },
});
