import type { Shape } from "../tensor/shape.ts";
import { defineElementwise, type Op, type TensorLike } from "./op.ts";

/** x repeated to a larger shape, by the broadcasting rule. */
export const broadcastTo: Op<[x: TensorLike, attrs: { shape: Shape }]> = defineElementwise({
  name: "broadcastTo",
  inputs: "x",
  attrs: { shape: [] as Shape },
  shape: ({ shape }) => shape,
  scalar: (x) => x,
  // The sum over the repeated axes is taken by `grad`, as for every broadcast operand.
  vjp: (_, dy) => ({ x: dy }),
});
