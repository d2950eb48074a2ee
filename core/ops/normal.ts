import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { random } from "./random.ts";

/** Numbers from N(0, 1) from a key; see `random`. */
export const normal = (key: Tensor, { stream, shape }: { readonly stream: number; readonly shape: Shape }): Tensor =>
  random(key, { distribution: "normal", stream, shape });
