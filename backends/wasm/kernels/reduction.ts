import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { type Argument, at, type Call, grainOf, type KernelPlan, temp } from "../kernel.ts";

/** Exports of assembly/reduce.ts that do one kind of reduction. */
export interface Reducers {
  readonly rows: string;
  readonly columns: string;
  readonly integers: string;
}

/** Elements of a row, and rows of a matrix, that one item reduces. Fixed: sums must not depend on the machine. */
const ROW_BLOCK = 16384;
const COLUMN_BLOCK = 256;
const NANOSECONDS_PER_ELEMENT = 0.3;

/**
 * A reduction over any axes as reductions of [A, N, C] along N, the innermost first; each in rounds of fixed blocks, which
 * gives threads work and keeps rounding errors of long sums small.
 */
export function reductionPlan(node: Tensor, reducers: Reducers): KernelPlan {
  const [x] = node.inputs;
  const { axes } = ops.attrsOf(node, ops.sum.spec, ops.max.spec);
  // Neighbouring axes with the same fate are one axis.
  const groups: { size: number; reduced: boolean }[] = [];
  x.shape.forEach((size, axis) => {
    const reduced = axes.includes(axis);
    const last = groups[groups.length - 1];
    if (size === 1) return;
    if (last?.reduced === reduced) last.size *= size;
    else groups.push({ size, reduced });
  });
  const sizes = (part: typeof groups) => sizeOf(part.map(({ size }) => size));

  const rounds: { A: number; N: number; C: number; block: number }[] = [];
  for (let i = groups.length - 1; i >= 0; i--) {
    if (!groups[i].reduced) continue;
    const [A, C] = [sizes(groups.slice(0, i)), sizes(groups.slice(i + 1))];
    for (let N = groups[i].size; N > 1; ) {
      const block = node.dtype === "i32" ? N : C === 1 ? ROW_BLOCK : COLUMN_BLOCK;
      rounds.push({ A, N, C, block });
      N = Math.ceil(N / block);
    }
    groups.splice(i, 1);
  }
  if (!rounds.length) {
    const args = [at(x), at(node)];
    const items = sizeOf(x.shape);
    return { calls: [{ fn: "copyElements", args, items, grain: grainOf(0.4) }] };
  }

  const temps = rounds.slice(0, -1).map(({ A, N, C, block }) => A * Math.ceil(N / block) * C);
  const calls = rounds.map(({ A, N, C, block }, i): Call => {
    const from: Argument = i === 0 ? at(x) : temp(i - 1);
    const to: Argument = i === rounds.length - 1 ? at(node) : temp(i);
    const blocks = Math.ceil(N / block);
    if (node.dtype === "i32") {
      const grain = grainOf(N);
      return { fn: reducers.integers, args: [from, to, N, C], items: A * C, grain };
    }
    const grain = grainOf(NANOSECONDS_PER_ELEMENT * Math.min(N, block) * C + 5);
    return C === 1
      ? { fn: reducers.rows, args: [from, to, N, block], items: A * blocks, grain }
      : { fn: reducers.columns, args: [from, to, N, C, block], items: A * blocks, grain };
  });
  return { calls, temps };
}
