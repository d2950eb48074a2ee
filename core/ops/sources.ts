import { failure } from "../errors.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { createNode, type DType, type OpSpec, type Tensor } from "../tensor/tensor.ts";
import { setLift } from "./op.ts";

const source = (name: string): OpSpec => ({
  name,
  kind: "source",
  signature: "-> x[*]",
  vjp: () => [],
});

/** Specs of the three sources; the graph passes and the backends tell them apart by identity. */
export const sources: Record<"constant" | "input" | "state", OpSpec> = {
  constant: source("constant"),
  input: source("input"),
  state: source("state"),
};

/** The same number everywhere: a scalar that broadcasts, or a tensor of `shape`. */
export const constant = (value: number, dtype: DType = "f32", shape: Shape = []): Tensor =>
  createNode({ op: sources.constant, inputs: [], attrs: { value }, shape, dtype });

/**
 * A table known when the graph is traced, such as a sigma grid. Uploaded once.
 * @throws ShapeError when `data` does not have as many numbers as `shape`.
 */
export function constantArray(data: ArrayLike<number>, shape: Shape, dtype: DType = "f32"): Tensor {
  if (data.length !== sizeOf(shape))
    throw failure(
      "E_SHAPE",
      `Cannot make a constant of shape [${shape.join(", ")}]: ${data.length} numbers, expected ${sizeOf(shape)}`,
    );
  const copy = dtype === "f32" ? Float32Array.from(data) : Int32Array.from(data);
  return createNode({ op: sources.constant, inputs: [], attrs: { data: copy }, shape, dtype });
}

/** A value the caller passes on every run of a program, known to it by `name`. */
export const input = (name: string, shape: Shape, dtype: DType = "f32"): Tensor =>
  createNode({ op: sources.input, inputs: [], attrs: { name }, shape, dtype });

/** A value that lives on the device from run to run (weights, moments), known to the memory by `name`. */
export const state = (name: string, shape: Shape, dtype: DType = "f32"): Tensor =>
  createNode({ op: sources.state, inputs: [], attrs: { name }, shape, dtype });

setLift((value, dtype) => constant(value, dtype));
