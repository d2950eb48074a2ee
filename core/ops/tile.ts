import type { Tensor } from "../tensor/tensor.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { reshape } from "./reshape.ts";

/** x repeated whole, `repeats[i]` times along axis i, counted from the last; more repeats than axes add axes in front. */
export const tile: Composed<[x: Tensor, repeats: readonly number[]]> = defineComposed({
  name: "tile",
  parameters: ["x: Tensor", "repeats: number[]"],
  build: (x, repeats) => {
    const rank = Math.max(x.shape.length, repeats.length);
    const ones = (count: number) => new Array<number>(count).fill(1);
    const sizes = [...ones(rank - x.shape.length), ...x.shape];
    const times = [...ones(rank - repeats.length), ...repeats];
    const apart = reshape(
      x,
      sizes.flatMap((size) => [1, size]),
    );
    const repeated = broadcastTo(apart, { shape: sizes.flatMap((size, i) => [times[i], size]) });
    return reshape(
      repeated,
      sizes.map((size, i) => size * times[i]),
    );
  },
});
