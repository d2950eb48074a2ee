import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";
import { sumPool } from "./sumPool.ts";

/** Attributes of `upsampleNearest` and `sumPool`, each the gradient of the other. */
export interface BlockAttrs {
  /** Side of the square block of pixels that belongs to one pixel of the small image. */
  readonly factor: number;
  /** Multiplies every element on the way. */
  readonly scale?: number;
}

/** y[h, w] = scale · x[⌊h/factor⌋, ⌊w/factor⌋]: every pixel becomes a block. */
export const upsampleNearest: Op<[x: Tensor, attrs: BlockAttrs]> = defineOp({
  name: "upsampleNearest",
  signature: "x[... H W] -> y[... OH OW]",
  attrs: { factor: 2, scale: 1 } as Required<BlockAttrs>,
  dims: ({ H, W, factor }) => ({ OH: H * factor, OW: W * factor }),
  vjp: ({ attrs }, dy) => ({ x: sumPool(dy, attrs) }),
  reference: ({ W, OH, OW, factor, scale }, x, y) => {
    for (let h = 0; h < OH; h++)
      for (let w = 0; w < OW; w++) y[h * OW + w] = scale * x[Math.floor(h / factor) * W + Math.floor(w / factor)];
  },
});
