import { failure } from "../errors.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Storage } from "../tensor/storage.ts";
import { createNode, type DType, type OpSpec, type Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { attrsOf, setLift } from "./op.ts";

const source = <A extends object>(name: string): OpSpec<A> => ({
  name,
  kind: "source",
  signature: "-> x[*]",
  vjp: () => [],
});

const DTYPE = 'dtype?: "f32" | "i32"';

/** One number everywhere, or a table of all elements. */
interface ConstantAttrs {
  readonly value?: number;
  readonly data?: Float32Array | Int32Array;
}

/** Specs of the three sources; the graph passes and the backends tell them apart by identity. */
export const sources: {
  readonly constant: OpSpec<ConstantAttrs>;
  readonly input: OpSpec<{ readonly name: string }>;
  readonly state: OpSpec<{ readonly name: string }>;
} = {
  constant: source("constant"),
  input: source("input"),
  state: source("state"),
};

/** The same number everywhere: a scalar that broadcasts, or a tensor of `shape`. */
export const constant: Composed<[value: number, dtype?: DType, shape?: Shape]> = defineComposed({
  name: "constant",
  parameters: ["value: number", DTYPE, "shape?: number[]"],
  build: (value, dtype = "f32", shape = []) =>
    createNode({ op: sources.constant, inputs: [], attrs: { value }, shape, dtype }),
});

/**
 * A table known when the graph is traced, such as a sigma grid. Uploaded once.
 * @throws ShapeError when `data` does not have as many numbers as `shape`.
 */
export const constantArray: Composed<[data: ArrayLike<number>, shape: Shape, dtype?: DType]> = defineComposed({
  name: "constantArray",
  parameters: ["data: ArrayLike<number>", "shape: number[]", DTYPE],
  build: (data, shape, dtype = "f32") => {
    if (data.length !== sizeOf(shape))
      throw failure(
        "E_SHAPE",
        `Cannot make a constant of shape [${shape.join(", ")}]: ${data.length} numbers, expected ${sizeOf(shape)}`,
      );
    const copy = dtype === "f32" ? Float32Array.from(data) : Int32Array.from(data);
    return createNode({ op: sources.constant, inputs: [], attrs: { data: copy }, shape, dtype });
  },
});

/** A value the caller passes on every run of a program, known to it by `name`. */
export const input: Composed<[name: string, shape: Shape, dtype?: DType]> = defineComposed({
  name: "input",
  parameters: ["name: string", "shape: number[]", DTYPE],
  build: (name, shape, dtype = "f32") => createNode({ op: sources.input, inputs: [], attrs: { name }, shape, dtype }),
});

/**
 * A value that lives on the device from run to run (weights, moments), known to the memory by `name`. One that is kept in f16 or
 * bf16 can't be updated by a program.
 */
export const state: Composed<[name: string, shape: Shape, dtype?: DType, storage?: Storage]> = defineComposed({
  name: "state",
  parameters: ["name: string", "shape: number[]", DTYPE, 'storage?: "f32" | "f16" | "bf16"'],
  build: (name, shape, dtype = "f32", storage = "f32") =>
    createNode({ op: sources.state, inputs: [], attrs: { name }, shape, dtype, storage }),
});

/** The number that a constant is everywhere; undefined for tables and for what is no constant. */
export const uniformOf = (node: Tensor): number | undefined =>
  node.op === sources.constant ? attrsOf(node, sources.constant).value : undefined;

/** What the caller knows an input or a state by. */
export const nameOf = (node: Tensor): string => attrsOf(node, sources.input, sources.state).name;

setLift((value, dtype) => constant(value, dtype));
