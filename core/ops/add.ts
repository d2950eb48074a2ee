import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** y = a + b. */
export const add: Op<[a: TensorLike, b: TensorLike]> = defineElementwise({
  name: "add",
  inputs: "a, b",
  scalar: (a, b) => a + b,
  vjp: (_, dy) => ({ a: dy, b: dy }),
});
