import { cos } from "./cos.ts";
import { mul } from "./mul.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/**
 * y = sin x. GPUs promise an error below 2⁻¹¹ within ±π only, and nothing beyond: make tables of large arguments
 * (time embeddings) on the host, with `constantArray`.
 */
export const sin: Op<[x: TensorLike]> = defineElementwise({
  name: "sin",
  inputs: "x",
  scalar: (x) => Math.sin(x),
  vjp: ({ x }, dy) => ({ x: mul(dy, cos(x)) }),
});
