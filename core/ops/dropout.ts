import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { less } from "./less.ts";
import { mul } from "./mul.ts";
import { random } from "./random.ts";
import { sub } from "./sub.ts";

/** Each element 0 with probability p, else x / (1 − p). Draws from `key` in its own `stream`; see `random`. */
export const dropout: Composed<[x: Tensor, key: Tensor, options: { readonly p: number; readonly stream: number }]> =
  defineComposed({
    name: "dropout",
    parameters: ["x: Tensor", "key: Tensor", { p: "number", stream: "number" }],
    build: (x, key, { p, stream }) => {
      if (p === 0) return x;
      const dropped = less(random(key, { distribution: "uniform", stream, shape: x.shape }), p);
      return mul(x, mul(sub(1, dropped), p < 1 ? 1 / (1 - p) : 0));
    },
  });
