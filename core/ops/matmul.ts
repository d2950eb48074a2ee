import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";

/** Which operands are transposed before the product. */
export interface MatmulOptions {
  /** a is stored as [... K M]. */
  readonly transA?: boolean;
  /** b is stored as [... N K]. */
  readonly transB?: boolean;
}

/** Matrix product c = a·b over the last two axes; leading axes broadcast. */
export const matmul: Op<[a: Tensor, b: Tensor, options?: MatmulOptions]> = defineOp({
  name: "matmul",
  signature: "a[... M K], b[... K N] -> c[... M N]",
  attrs: { transA: false, transB: false },
  signatureFor: ({ transA, transB }) =>
    `a[... ${transA ? "K M" : "M K"}], b[... ${transB ? "N K" : "K N"}] -> c[... M N]`,

  // With A and B the operands as multiplied: dA = dc·Bᵀ, dB = Aᵀ·dc; stored transposed, so are the gradients.
  vjp: ({ a, b, attrs: { transA, transB } }, dc) => ({
    a: transA ? matmul(b, dc, { transA: transB, transB: true }) : matmul(dc, b, { transA: false, transB: !transB }),
    b: transB ? matmul(dc, a, { transA: true, transB: transA }) : matmul(a, dc, { transA: !transA, transB: false }),
  }),

  reference: ({ M, K, N, transA, transB }, a, b, c) => {
    for (let m = 0; m < M; m++)
      for (let n = 0; n < N; n++)
        for (let k = 0; k < K; k++)
          c[m * N + n] += a[transA ? k * M + m : m * K + k] * b[transB ? n * K + k : k * N + n];
  },
});
