import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { matmul } from "./matmul.ts";
import { mul } from "./mul.ts";
import { defineOp, type Op } from "./op.ts";
import { reshape } from "./reshape.ts";
import { slice } from "./slice.ts";
import { softmax } from "./softmax.ts";
import { sub } from "./sub.ts";
import { sum } from "./sum.ts";

interface AttentionGradAttrs {
  /** Factor on q·k before the softmax. */
  readonly scale: number;
}

/**
 * Gradients of o = softmax(scale·q·kᵀ)·v for the cotangent dy, in one flat tensor laid out by `attentionGradPlaces`; what
 * lies between the parts is undefined. With p the probabilities, which no backend has to keep whole:
 *   ds = scale · p · (dy·vᵀ − Σ_e dy·o),   dq = ds·k,   dk = dsᵀ·q,   dv = pᵀ·dy
 * o is an operand because Σ_e dy·o is Σ_m p·(dy·vᵀ): a sum over all keys, known before the first is met.
 * Dao et al. 2022, FlashAttention, arXiv:2205.14135.
 */
export const attentionGrad: Op<[q: Tensor, k: Tensor, v: Tensor, o: Tensor, dy: Tensor, attrs: AttentionGradAttrs]> =
  defineOp({
    name: "attentionGrad",
    signature: "q[B N D], k[B M D], v[B M E], o[B N E], dy[B N E] -> all[*]",
    attrs: { scale: 1 } as AttentionGradAttrs,
    shape: ({ q, v }) => [attentionGradPlaces(q, v).size],

    // a, b, c are the cotangents of dq, dk, dv. o is an operand like any other and brings its own derivative along.
    vjp: ({ q, k, v, o, dy, attrs: { scale } }, dAll) => {
      const { dq: a, dk: b, dv: c } = attentionGradParts(dAll, q.shape, v.shape);
      const p = softmax(mul(matmul(q, k, { transB: true }), scale));
      const slope = sub(matmul(dy, v, { transB: true }), rowSums(mul(dy, o)));
      const ds = mul(mul(p, slope), scale);

      const dDs = mul(add(matmul(a, k, { transB: true }), matmul(q, b, { transB: true })), scale);
      const dSlope = mul(dDs, p);
      const dp = add(mul(dDs, slope), matmul(dy, c, { transB: true }));
      const dLogits = mul(mul(p, sub(dp, rowSums(mul(dp, p)))), scale);
      const dLevel = mul(rowSums(dSlope), -1); // of Σ_e dy·o
      return {
        q: add(matmul(dLogits, k), matmul(ds, b)),
        k: add(matmul(dLogits, q, { transA: true }), matmul(ds, a, { transA: true })),
        v: matmul(dSlope, dy, { transA: true }),
        o: mul(dy, dLevel),
        dy: add(add(matmul(dSlope, v), matmul(p, c)), mul(o, dLevel)),
      };
    },

    reference: ({ B, N, M, D, E, scale }, q, k, v, o, dy, all) => {
      const { dk, dv } = attentionGradPlaces([B, N, D], [B, M, E]);
      const p = new Float64Array(M);
      for (let row = 0; row < B * N; row++) {
        const first = Math.floor(row / N) * M;
        let [top, total, level] = [-Infinity, 0, 0];
        for (let m = 0; m < M; m++) {
          p[m] = 0;
          for (let d = 0; d < D; d++) p[m] += scale * q[row * D + d] * k[(first + m) * D + d];
          top = Math.max(top, p[m]);
        }
        for (let m = 0; m < M; m++) total += p[m] = Math.exp(p[m] - top);
        for (let e = 0; e < E; e++) level += dy[row * E + e] * o[row * E + e];
        for (let m = 0; m < M; m++) {
          let slope = -level;
          for (let e = 0; e < E; e++) {
            slope += dy[row * E + e] * v[(first + m) * E + e];
            all[dv + (first + m) * E + e] += (p[m] / total) * dy[row * E + e];
          }
          const ds = (scale * p[m] * slope) / total;
          for (let d = 0; d < D; d++) {
            all[row * D + d] += ds * k[(first + m) * D + d];
            all[dk + (first + m) * D + d] += ds * q[row * D + d];
          }
        }
      }
    },
  });

/** Σ over the last axis, which stays with one element. */
const rowSums = (x: Tensor): Tensor => sum(x, { axes: [-1], keepDims: true });

/** Places of dk and dv in the flat result of `attentionGrad`, behind dq; kernels can start there whatever the storage. */
export function attentionGradPlaces(
  q: Shape,
  v: Shape,
): { readonly dk: number; readonly dv: number; readonly size: number } {
  const aligned = (elements: number) => Math.ceil(elements / 128) * 128;
  const dk = aligned(sizeOf(q));
  const dv = dk + aligned(v[0] * v[1] * q[2]);
  return { dk, dv, size: dv + aligned(sizeOf(v)) };
}

/** The three gradients out of the flat result; q [B N D] and v [B M E] are the shapes of its operands. */
export function attentionGradParts(
  all: Tensor,
  q: Shape,
  v: Shape,
): { readonly dq: Tensor; readonly dk: Tensor; readonly dv: Tensor } {
  const { dk, dv } = attentionGradPlaces(q, v);
  // Slices, which can be differentiated; they become views when the graph is simplified.
  const part = (start: number, shape: Shape) =>
    reshape(slice(all, { axis: 0, start, end: start + sizeOf(shape) }), shape);
  return { dq: part(0, q), dk: part(dk, [v[0], v[1], q[2]]), dv: part(dv, v) };
}
