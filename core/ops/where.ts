import { defineComposed } from "./composed.ts";
import { notEqual } from "./notEqual.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

const select: Op<[condition: TensorLike, a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "where",
  inputs: "condition, a, b",
  scalar: (condition, a, b) => (condition !== 0 ? a : b),
  vjp: ({ condition }, dy) => ({ a: where(condition, dy, 0), b: where(condition, 0, dy) }),
});

/** y = a where the condition is not 0, else b; a value not chosen never shows, not even as NaN. */
export const where: Op<[condition: TensorLike, a: TensorLike, b: TensorLike], object> = defineComposed({
  name: "where",
  parameters: ["condition: Tensor | number", "a: Tensor | number", "b: Tensor | number"],
  spec: select.spec,
  build: (condition, a, b) => {
    const integer = typeof condition === "object" && condition.dtype === "i32";
    return select(integer ? notEqual(condition, 0) : condition, a, b);
  },
});
