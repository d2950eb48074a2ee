import { type Shape, sizeOf } from "./shape.ts";
import { currentStorage, type Storage } from "./storage.ts";

/** Element types. `i32` holds labels, indices and random keys; everything that is differentiated is `f32`. */
export type DType = "f32" | "i32";

/** The 32 bits of one element, as an unsigned integer: kernels that move elements do not care what they mean. */
export const bitsOf = (value: number, dtype: DType): number =>
  dtype === "i32" ? value >>> 0 : new Uint32Array(Float32Array.of(value).buffer)[0];

/** Host arrays that hold a tensor's elements. Float64Array appears in the reference backend only. */
export type NumericArray = Float32Array | Float64Array | Int32Array;

/** What an op was called with besides tensors. Part of a node's identity: equal inputs and attrs are one node. */
export type Attrs = Readonly<Record<string, unknown>>;

/**
 * A node of a traced graph: the result of an op, known by shape and dtype only. No numbers live here; a backend
 * computes them when a program that contains the node runs.
 */
export interface Tensor {
  readonly id: number;
  readonly op: OpSpec;
  readonly inputs: readonly Tensor[];
  readonly attrs: Attrs;
  readonly shape: Shape;
  readonly dtype: DType;
  /** How its elements are kept where it has memory of its own. Values inside a fused step are f32 all the same. */
  readonly storage: Storage;
}

/**
 * How an op behaves in a graph.
 * - source: has no inputs (program input, state, constant)
 * - elementwise: output element i depends on (broadcast) input elements i; chains of them are fused
 * - view: the same bytes under another shape or offset; costs nothing
 * - kernel: anything else
 */
export type OpKind = "source" | "elementwise" | "view" | "kernel";

/**
 * Everything true of an op on any device. Made by `defineOp`; read by the graph passes and the backends. `A` is the type of
 * its nodes' attributes: `attrsOf` in core/ops/op.ts reads them.
 */
export interface OpSpec<A extends object = object> {
  readonly name: string;
  readonly kind: OpKind;
  /** `a[... M K], b[... K N] -> c[... M N]`; see core/ops/op.ts for the grammar. */
  readonly signature: string;
  /** Cotangent of the output in, cotangents of the inputs out (undefined where none flows). */
  readonly vjp?: (node: Tensor, dy: Tensor) => readonly (Tensor | undefined)[];
  /** Tangents of the inputs in (undefined where none flows), tangent of the output out; absent where it follows from `vjp`. */
  readonly jvp?: (node: Tensor, tangents: readonly (Tensor | undefined)[]) => Tensor | undefined;
  /** For elementwise ops: one output element from one element of each input. */
  readonly scalar?: (values: readonly number[], attrs: Attrs) => number;
  /** The oracle: fills `out` (zeroed, float64) from the inputs. */
  readonly reference?: (node: Tensor, inputs: readonly NumericArray[], out: NumericArray) => void;
  /** Never there: carries `A` for the type checker. */
  readonly __attrs?: A;
}

/** Whether a value is a node of a graph. */
export const isTensor = (value: unknown): value is Tensor =>
  typeof value === "object" && value !== null && Array.isArray((value as Tensor).shape) && "op" in value;

let nextId = 0;

/** Number of nodes made so far; nodes made later have this id or a higher one. */
export const nodesMade = (): number => nextId;

/** A node before it is one; without `storage` it is kept as the trace says, see `withStorage`. */
type NewNode = Omit<Tensor, "id" | "storage"> & { readonly storage?: Storage };

/** Appends a node to the graph. Ops call this; user code calls ops. */
export const createNode = (node: NewNode): Tensor => Object.freeze({ ...node, storage: storageOf(node), id: nextId++ });

function storageOf({ op, inputs, shape, dtype, ...node }: NewNode): Storage {
  if (op.kind === "view") return inputs[0].storage;
  if (op.kind === "source") return node.storage ?? "f32";
  const { storage = currentStorage() } = node;
  return dtype !== "f32" || sizeOf(shape) === 1 ? "f32" : storage;
}
