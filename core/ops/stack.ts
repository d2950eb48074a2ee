import { axisAt, type Shape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { concat } from "./concat.ts";
import { shapeFailure } from "./op.ts";
import { reshape } from "./reshape.ts";

/** Tensors of one shape side by side along a new axis. */
export function stack(parts: readonly Tensor[], axis = 0): Tensor {
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
}
