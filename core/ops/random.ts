import { fillFrom } from "../random/philox.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { defineComposed } from "./composed.ts";
import { defineOp, type Op } from "./op.ts";
import { constant } from "./sources.ts";

interface RandomAttrs {
  readonly distribution: "normal" | "uniform";
  /** Tells draws with the same key apart. */
  readonly stream: number;
  readonly shape: Shape;
}

const randomRows: Op<[key: Tensor, rows: Tensor, attrs: RandomAttrs]> = defineOp({
  name: "random",
  signature: "i32 key[3], i32 rows[R] -> y[*]",
  attrs: { distribution: "normal", stream: 0, shape: [] } as RandomAttrs,
  shape: (_, { shape }) => shape,
  dtype: "f32",
  vjp: "no gradient",
  reference: ({ distribution, stream, shape }, key, rows, y) => {
    const words = [key[0] >>> 0, key[1] >>> 0] as const;
    const draw = { distribution, counter: [key[2] >>> 0, stream, 0], key: words } as const;
    fillFrom(y as Float64Array, draw, { first: rows[0] * sizeOf(shape.slice(1)) });
  },
});

/**
 * Random numbers from a key (i32[3]: seed low, seed high, step) with Philox: N(0, 1), or uniform in [0, 1).
 * A pure function of key, stream and position, so a replay is reproducible. See core/random/philox.ts.
 * @param rows places of the result's rows (first axis) in a larger draw, i32, one behind the other: the numbers are then
 *   those that the larger draw has there, bit for bit, and no others are drawn. Without it the draw begins at row 0
 */
export const random: Op<[key: Tensor, attrs: RandomAttrs, rows?: Tensor], RandomAttrs> = defineComposed({
  name: "random",
  parameters: [
    "key: Tensor",
    { distribution: '"normal" | "uniform"', stream: "number", shape: "number[]" },
    "rows?: Tensor",
  ],
  spec: randomRows.spec,
  build: (key, attrs, rows = constant(0, "i32", [1])) => randomRows(key, rows, attrs),
});
