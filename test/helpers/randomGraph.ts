import * as ops from "../../core/ops/mod.ts";
import { type Shape, type Storage, sameShape, sizeOf, type Tensor, withStorage } from "../../core/tensor/mod.ts";
import type { Values } from "./interpret.ts";
import type { Draw } from "./ops.ts";

/** A program of random ops whose values stay small, with values for its inputs and states. */
export interface RandomGraph {
  readonly outputs: Record<string, Tensor>;
  readonly updates: [Tensor, Tensor][];
  readonly inputs: Values;
  readonly states: Values;
}

const shapes: readonly Shape[] = [[4, 6], [6, 4], [24], [2, 12], [6], [1, 6], [4, 1], []];

/** @param storageOf what the next op is traced with; f32 when absent */
export function randomGraph(draw: Draw, size: number, storageOf: () => Storage = () => "f32"): RandomGraph {
  const states = [ops.state("s0", [24]), ops.state("s1", [4, 6]), ops.state("s2", [6])];
  const given = [ops.input("i0", [4, 6]), ops.input("i1", [3])];
  const pool: Tensor[] = [...states, ...given, ops.constantArray([1, -1, 0.5, 2, 0, 3], [6])];
  const any = () => draw.pick(pool);
  const withShape = (fits: (shape: Shape) => boolean): Tensor => {
    const found = pool.filter(({ shape }) => fits(shape));
    return found.length ? draw.pick(found) : ops.constant(0.5, "f32", shapes.find(fits)!);
  };
  const flat = () => withShape((shape) => shape.length === 1 && shape[0] === 24);
  const makers: readonly (() => Tensor)[] = [
    () => ops.tanh(any()),
    () => ops.sigmoid(any()),
    () => ops.neg(any()),
    () => ops.abs(any()),
    () => ops.add(any(), any()),
    () => ops.mul(ops.tanh(any()), any()),
    () => ops.sub(ops.tanh(any()), any()),
    () => ops.maximum(any(), any()),
    () => ops.where(ops.greater(any(), 0), any(), any()),
    () => ops.mul(any(), draw.pick([0, 1, 0.5, -1])),
    () => ops.add(any(), draw.pick([0, 1])),
    () =>
      ops.reshape(
        withShape((s) => sizeOf(s) === 24),
        draw.pick(shapes.slice(0, 4)),
      ),
    () =>
      ops.view(flat(), {
        offset: draw.pick([0, 2, 18]),
        shape: draw.pick([[6], [1, 6], [4, 1], []]),
      }),
    () => ops.view(flat(), { offset: 0, shape: [4, 6] }),
    () => ops.mean(any(), { axes: [], keepDims: true }),
    () =>
      ops.sum(
        ops.mul(
          withShape((s) => s.length > 0),
          0.2,
        ),
        { axes: [-1], keepDims: draw.unit() < 0.5 },
      ),
    () => ops.softmax(withShape((s) => s.length > 0)),
    () => ops.transpose(withShape((s) => s.length === 2)),
    () =>
      ops.mul(
        ops.matmul(
          withShape((s) => sameShape(s, [6, 4])),
          withShape((s) => sameShape(s, [4, 6])),
        ),
        0.1,
      ),
    () =>
      ops.slice(ops.concat([withShape((s) => s.join() === "4,6"), withShape((s) => s.join() === "4,6")], 0), {
        axis: 0,
        start: 3,
        end: 7,
      }),
    () => ops.stopGradient(any()),
    () => ops.pack([withShape((s) => s.join() === "6"), ops.tanh(withShape((s) => s.join() === "4,6"))], [0, 8], 40),
    () => ops.constant(draw.pick([0, 1, 0.25]), "f32", draw.pick(shapes)),
  ];
  while (pool.length < size) {
    try {
      const made = withStorage(storageOf(), draw.pick(makers));
      // Kept bounded: sums of sums would drown the small numbers.
      pool.push(made.op.kind === "elementwise" && draw.unit() < 0.2 ? ops.tanh(made) : made);
    } catch (error) {
      if (!/^Cannot apply/.test((error as Error).message)) throw error; // shapes did not fit
    }
  }
  const outputs = Object.fromEntries(Array.from({ length: draw.integer(1, 5) }, (_, i) => [`o${i}`, any()]));
  const updates: [Tensor, Tensor][] = [];
  for (const state of states) {
    if (draw.unit() < 0.3) continue;
    const value = withShape((s) => sizeOf(s) === sizeOf(state.shape));
    updates.push([state, ops.reshape(value, state.shape)]);
  }
  const valuesOf = (nodes: readonly Tensor[]) =>
    Object.fromEntries(nodes.map((node) => [node.attrs.name as string, draw.normal(node.shape).data]));
  return { outputs, updates, inputs: valuesOf(given), states: valuesOf(states) };
}
