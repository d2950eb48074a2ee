import type { Tensor } from "../tensor/tensor.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { reducedAxes } from "./reduction.ts";
import { reshape } from "./reshape.ts";

/** Each element along `axis` repeated `repeats` times in place: a b → a a b b. */
export const repeatInterleave: Composed<[x: Tensor, options: { readonly repeats: number; readonly axis: number }]> =
  defineComposed({
    name: "repeatInterleave",
    parameters: ["x: Tensor", { repeats: "number", axis: "number" }],
    build: (x, { repeats, axis }) => {
      const [at] = reducedAxes("repeatInterleave", x.shape, [axis]);
      const [before, size, after] = [x.shape.slice(0, at), x.shape[at], x.shape.slice(at + 1)];
      const apart = reshape(x, [...before, size, 1, ...after]);
      const repeated = broadcastTo(apart, { shape: [...before, size, repeats, ...after] });
      return reshape(repeated, [...before, size * repeats, ...after]);
    },
  });
