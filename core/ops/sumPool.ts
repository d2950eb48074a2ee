import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";
import { type BlockAttrs, upsampleNearest } from "./upsampleNearest.ts";

/** y[p, q] = scale · Σ of the block of factor × factor pixels of x. H and W must be multiples of `factor`. */
export const sumPool: Op<[x: Tensor, attrs: BlockAttrs]> = defineOp({
  name: "sumPool",
  signature: "x[... H W] -> y[... OH OW]",
  attrs: { factor: 2, scale: 1 } as Required<BlockAttrs>,
  dims: ({ H, W, factor }) => ({ OH: H / factor, OW: W / factor }),
  vjp: ({ attrs }, dy) => ({ x: upsampleNearest(dy, attrs) }),
  reference: ({ H, W, OW, factor, scale }, x, y) => {
    for (let h = 0; h < H; h++)
      for (let w = 0; w < W; w++) y[Math.floor(h / factor) * OW + Math.floor(w / factor)] += scale * x[h * W + w];
  },
});
