import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { random } from "./random.ts";

/** Numbers from N(0, 1) from a key; see `random`. */
export const normal: Composed<[key: Tensor, options: { readonly stream: number; readonly shape: Shape }]> =
  defineComposed({
    name: "normal",
    parameters: ["key: Tensor", { stream: "number", shape: "number[]" }],
    build: (key, { stream, shape }) => random(key, { distribution: "normal", stream, shape }),
  });
