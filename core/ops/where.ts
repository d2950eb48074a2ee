import { notEqual } from "./notEqual.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

const select: Op<[condition: TensorLike, a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "where",
  inputs: "condition, a, b",
  scalar: (condition, a, b) => (condition !== 0 ? a : b),
  vjp: ({ condition }, dy) => ({ a: where(condition, dy, 0), b: where(condition, 0, dy) }),
});

/** y = a where the condition is not 0, else b; a value not chosen never shows, not even as NaN. */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike) {
  const integer = typeof condition === "object" && condition.dtype === "i32";
  return select(integer ? notEqual(condition, 0) : condition, a, b);
}
where.spec = select.spec;
