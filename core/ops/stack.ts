import { axisAt, type Shape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { concat } from "./concat.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";

/** Tensors of one shape side by side along a new axis. */
export const stack: Composed<[parts: readonly Tensor[], axis?: number]> = defineComposed({
  name: "stack",
  parameters: ["parts: Tensor[]", "axis?: number"],
  build: (parts, axis = 0) => {
    const shapes: Record<string, Shape> = Object.fromEntries(parts.map((part, i) => [`part ${i}`, part.shape]));
    const at = parts.length ? axisAt(axis, parts[0].shape.length + 1) : undefined;
    if (at === undefined) throw shapeFailure("stack", shapes, `there is no axis ${axis}`);
    if (!parts.every((part) => sameShape(part.shape, parts[0].shape)))
      throw shapeFailure("stack", shapes, "they must have one shape");
    const apart = [...parts[0].shape.slice(0, at), 1, ...parts[0].shape.slice(at)];
    return concat(
      parts.map((part) => reshape(part, apart)),
      at,
    );
  },
});
