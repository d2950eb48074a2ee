import { equal } from "./equal.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";
import { where } from "./where.ts";

interface ClampAttrs {
  /** Lower bound; -Infinity is none. */
  readonly min: number;
  /** Upper bound; Infinity is none. */
  readonly max: number;
}

/** y = min(max(x, min), max). The gradient passes inside the bounds and on them. */
export const clamp: Op<[x: TensorLike, attrs: Partial<ClampAttrs>]> = defineElementwise({
  name: "clamp",
  inputs: "x",
  attrs: { min: -Infinity, max: Infinity } as ClampAttrs,
  scalar: (x, { min, max }) => Math.min(Math.max(x, min), max),
  vjp: ({ x, y }, dy) => ({ x: where(equal(x, y), dy, 0) }),
});
