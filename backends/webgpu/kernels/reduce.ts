import * as ops from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { grid } from "../grid.ts";
import type { Bound, KernelPlan, Pass } from "../kernel.ts";

/** A group of neighbouring axes of a dense array that are all reduced or all kept. */
interface Group {
  readonly size: number;
  readonly isReduced: boolean;
}

/** How a kernel shares the work of a reduction. */
export interface ReduceKernel {
  readonly kernel: string;
  readonly constants?: Readonly<Record<string, number>>;
  /** Results of one workgroup. */
  readonly perGroup: number;
  /** Results worth making at once: fewer outputs are reduced in chunks, which a second round joins. */
  readonly wanted: number;
  /** Up to so many terms are never cut into chunks. */
  readonly direct: number;
  /** Most terms of a chunk, for the sake of digits. */
  readonly longest: number;
}

/** Results of a reduction, and terms of each. */
export function reductionSize(node: Tensor): { outputs: number; terms: number } {
  const outputs = sizeOf(node.shape);
  return { outputs, terms: sizeOf(node.inputs[0].shape) / outputs };
}

/** Rounds of a kernel that takes two groups of reduced axes at a time, and chunks of them where outputs are few. */
export function planReduction(node: Tensor, how: ReduceKernel): KernelPlan {
  const reduced = new Set(ops.attrsOf(node, ops.sum.spec, ops.max.spec).axes);
  const shape = node.inputs[0].shape;
  let groups = joined(shape.map((size, axis) => ({ size, isReduced: reduced.has(axis) })));
  const passes: Pass[] = [];
  const temps: number[] = [];
  let from: Bound = 0;
  for (;;) {
    const sizes = groups.map(({ size }) => size);
    const product = (begin: number, end: number) => sizeOf(sizes.slice(begin, end));
    // The innermost two reduced groups: x is [k0, r0, k1, r1, k2], with r0 and k1 of size 1 where there is only one.
    const found = [...groups.keys()].filter((index) => groups[index].isReduced).slice(-2);
    const last = found[found.length - 1] ?? groups.length;
    const first = found[0] ?? groups.length;
    const K1 = product(first + 1, last);
    const K2 = product(last + 1, groups.length);
    const R0 = first < last ? sizes[first] : 1;
    const R1 = sizes[last] ?? 1;
    const outputs = product(0, first) * K1 * K2;
    const chunk = Math.ceil((R0 * R1) / chunksFor(outputs, R0 * R1, how));
    const chunks = Math.ceil((R0 * R1) / chunk);
    const before = groups.slice(0, first);
    const isLast = chunks === 1 && !before.some(({ isReduced }) => isReduced);
    const to: Bound = isLast ? "output" : `temp ${temps.push(chunks * outputs) - 1}`;
    passes.push({
      kernel: how.kernel,
      ...(how.constants && { constants: how.constants }),
      dims: {
        OUTPUTS: outputs,
        K1,
        K2,
        COUNT: R0 * R1,
        R1,
        CHUNK: chunk,
        CHUNKS: chunks,
        KEPT0: R0 * K1 * R1 * K2,
        KEPT1: R1 * K2,
        KEPT2: 1,
        REDUCED0: K1 * R1 * K2,
        REDUCED1: K2,
      },
      workgroups: grid(Math.ceil((outputs * chunks) / how.perGroup)),
      bind: [from, to],
    });
    if (isLast) return { passes, temps };
    from = to;
    const kept = { size: K1 * K2, isReduced: false };
    groups = joined([{ size: chunks, isReduced: true }, ...before, kept]);
  }
}

function chunksFor(outputs: number, terms: number, { wanted, direct, longest }: ReduceKernel): number {
  const forDigits = Math.ceil(terms / longest);
  if (terms <= direct) return forDigits;
  return Math.max(forDigits, Math.min(Math.ceil(wanted / outputs), Math.ceil(Math.sqrt(terms))));
}

/** Without groups of size 1, and neighbours of one kind as one. */
export function joined(groups: readonly Group[]): Group[] {
  const result: Group[] = [];
  for (const group of groups) {
    if (group.size === 1) continue;
    const last = result[result.length - 1];
    if (last?.isReduced === group.isReduced) result[result.length - 1] = { ...last, size: last.size * group.size };
    else result.push(group);
  }
  return result;
}
