import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { floor } from "./floor.ts";
import { mul } from "./mul.ts";
import { random } from "./random.ts";
import { toInt } from "./toInt.ts";

/** Whole numbers (i32) in low…high-1, all equally likely for ranges far below 2²⁴, from a key; see `random`. */
export const randint: Composed<
  [
    key: Tensor,
    options: { readonly stream: number; readonly shape: Shape; readonly low: number; readonly high: number },
  ]
> = defineComposed({
  name: "randint",
  parameters: ["key: Tensor", { stream: "number", shape: "number[]", low: "number", high: "number" }],
  build: (key, { stream, shape, low, high }) => {
    const u = random(key, { distribution: "uniform", stream, shape });
    // The largest u is 1 − 2⁻²⁴, and u · n rounds to less than n for every n.
    return toInt(add(floor(mul(u, high - low)), low));
  },
});
