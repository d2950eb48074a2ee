import type { Tensor } from "../tensor/tensor.ts";
import { less } from "./less.ts";
import { mul } from "./mul.ts";
import { random } from "./random.ts";
import { sub } from "./sub.ts";

/** Each element 0 with probability p, else x / (1 − p). Draws from `key` in its own `stream`; see `random`. */
export function dropout(
  x: Tensor,
  key: Tensor,
  { p, stream }: { readonly p: number; readonly stream: number },
): Tensor {
  if (p === 0) return x;
  const dropped = less(random(key, { distribution: "uniform", stream, shape: x.shape }), p);
  return mul(x, mul(sub(1, dropped), p < 1 ? 1 / (1 - p) : 0));
}
