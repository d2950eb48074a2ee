import type { Tensor } from "../tensor/tensor.ts";
import { pad } from "./pad.ts";
import { slice } from "./slice.ts";

/**
 * Running combination along an axis by doubling (Hillis & Steele 1986): after round r every element has taken in the
 * 2ʳ elements up to itself, so ⌈log₂ n⌉ rounds suffice, and rounding errors grow as log n.
 * @param combine x and x moved `distance` places up, zeros moved in
 */
export function scan(x: Tensor, axis: number, combine: (x: Tensor, moved: Tensor, distance: number) => Tensor): Tensor {
  const size = x.shape[axis];
  let y = x;
  for (let distance = 1; distance < size; distance *= 2) {
    const kept = slice(y, { axis, start: 0, end: size - distance });
    y = combine(y, pad(kept, { axis, before: distance, after: 0 }), distance);
  }
  return y;
}
