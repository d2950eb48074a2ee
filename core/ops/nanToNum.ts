import { equal } from "./equal.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { where } from "./where.ts";

const LARGEST = 3.4028234663852886e38;

/** NaN → 0, ±infinity → the largest float32 of that sign; the gradient passes finite elements only. */
export const nanToNum: Op<[x: TensorLike]> = defineElementwise({
  name: "nanToNum",
  inputs: "x",
  scalar: (x) => (Number.isNaN(x) ? 0 : Math.min(Math.max(x, -LARGEST), LARGEST)),
  vjp: ({ x, y }, dy) => ({ x: where(equal(x, y), dy, 0) }),
});
