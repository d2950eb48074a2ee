import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { add } from "./add.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { mul } from "./mul.ts";
import { random } from "./random.ts";

/** Uniform numbers in [low, high), by default [0, 1), from a key; see `random`. */
export const uniform: Composed<
  [
    key: Tensor,
    options: { readonly stream: number; readonly shape: Shape; readonly low?: number; readonly high?: number },
  ]
> = defineComposed({
  name: "uniform",
  parameters: ["key: Tensor", { stream: "number", shape: "number[]", "low?": "number", "high?": "number" }],
  build: (key, { stream, shape, low = 0, high = 1 }) =>
    add(mul(random(key, { distribution: "uniform", stream, shape }), high - low), low),
});
