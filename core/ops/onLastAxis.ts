import type { Tensor } from "../tensor/tensor.ts";
import { reducedAxes } from "./reduction.ts";
import { transpose } from "./transpose.ts";

/** Runs `f`, which works along the last axis and keeps the shape, along another axis. `op` is named in errors. */
export function onLastAxis(op: string, x: Tensor, axis: number, f: (x: Tensor) => Tensor): Tensor {
  const [at] = reducedAxes(op, x.shape, [axis]);
  const last = x.shape.length - 1;
  if (at === last) return f(x);
  const swap = [...x.shape.keys()].map((i) => (i === at ? last : i === last ? at : i));
  return transpose(f(transpose(x, swap)), swap);
}
