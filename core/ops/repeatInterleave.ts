import type { Tensor } from "../tensor/tensor.ts";
import { broadcastTo } from "./broadcastTo.ts";
import { reducedAxes } from "./reduction.ts";
import { reshape } from "./reshape.ts";

/** Each element along `axis` repeated `repeats` times in place: a b → a a b b. */
export function repeatInterleave(
  x: Tensor,
  { repeats, axis }: { readonly repeats: number; readonly axis: number },
): Tensor {
  const [at] = reducedAxes("repeatInterleave", x.shape, [axis]);
  const [before, size, after] = [x.shape.slice(0, at), x.shape[at], x.shape.slice(at + 1)];
  const apart = reshape(x, [...before, size, 1, ...after]);
  const repeated = broadcastTo(apart, { shape: [...before, size, repeats, ...after] });
  return reshape(repeated, [...before, size * repeats, ...after]);
}
