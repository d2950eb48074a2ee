import { normalsFrom, philox, uniformFrom } from "../random/philox.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineOp, type Op } from "./op.ts";

interface RandomAttrs {
  readonly distribution: "normal" | "uniform";
  /** Tells draws with the same key apart. */
  readonly stream: number;
  readonly shape: Shape;
}

/**
 * Random numbers from a key (i32[3]: seed low, seed high, step) with Philox: N(0, 1), or uniform in [0, 1).
 * A pure function of key, stream and position, so a replay is reproducible. See core/random/philox.ts.
 */
export const random: Op<[key: Tensor, attrs: RandomAttrs]> = defineOp({
  name: "random",
  signature: "i32 key[3] -> y[*]",
  attrs: { distribution: "normal", stream: 0, shape: [] } as RandomAttrs,
  shape: (_, { shape }) => shape,
  dtype: "f32",
  vjp: "no gradient",
  reference: ({ distribution, stream }, key, y) => {
    for (let block = 0; block * 4 < y.length; block++) {
      const bits = philox([block, key[2] >>> 0, stream, 0], [key[0] >>> 0, key[1] >>> 0]);
      const values =
        distribution === "uniform"
          ? bits.map(uniformFrom)
          : [...normalsFrom(bits[0], bits[1]), ...normalsFrom(bits[2], bits[3])];
      for (let lane = 0; lane < 4 && block * 4 + lane < y.length; lane++)
        y[block * 4 + lane] = values[lane];
    }
  },
});
