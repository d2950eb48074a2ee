import { grid } from "../grid.ts";
import type { Bound, Pass } from "../kernel.ts";

/** One of the four axes of a copy: `size` places are filled from every `stride`-th element of the source. */
interface Axis {
  readonly size: number;
  /** May be negative, to flip. */
  readonly stride: number;
  /** Elements the source has; places beyond get 0. Default: `size`. */
  readonly limit?: number;
  /** Zeros before the first element; negative leaves elements out. */
  readonly pad?: number;
  /** Distance of neighbours in the result; zeros lie between. */
  readonly dilation?: number;
}

/** What to copy: axes outermost first. Only axes 1 and 2 may have `pad` and `dilation`, axis 0 no `limit` either. */
export interface Copy {
  readonly axes: readonly [Axis, Axis, Axis, Axis];
  /** First element of the source. */
  readonly base?: number;
  /** How many sources are added, and how far apart they are. */
  readonly terms?: readonly [count: number, stride: number];
}

/** The pass that copies `from` to `to`; see wgsl/repack.wgsl. */
export function repack(from: Bound, to: Bound, { axes, base = 0, terms = [1, 0] }: Copy): Pass {
  const [n0, n1, n2, n3] = axes;
  const pass: Omit<Pass, "workgroups"> = {
    kernel: "repack",
    dims: {
      N0: n0.size,
      N1: n1.size,
      N2: n2.size,
      N3: n3.size,
      BASE: base,
      STRIDE0: n0.stride,
      STRIDE1: n1.stride,
      STRIDE2: n2.stride,
      STRIDE3: n3.stride,
      PAD1: n1.pad ?? 0,
      PAD2: n2.pad ?? 0,
      SIZE1: n1.limit ?? n1.size,
      SIZE2: n2.limit ?? n2.size,
      SIZE3: n3.limit ?? n3.size,
      DILATION1: n1.dilation ?? 1,
      DILATION2: n2.dilation ?? 1,
      // Along axis 2, invocations side by side read neighbours, and each goes through all channels of its pixel; without
      // that axis they stand side by side along axis 3.
      SPAN: n2.size > 1 ? Math.ceil(n3.size / 4) : 1,
      TERMS: terms[0],
      TERM: terms[1],
    },
    bind: [from, to],
  };
  return { ...pass, workgroups: grid(groupsOf(pass)) };
}

/**
 * Two copies in one dispatch; see wgsl/repackPair.wgsl. Neither adds terms, and no two of the tensors share a buffer that
 * is written.
 */
export function repackPair(first: Pass, second: Pass): Pass {
  const { TERMS: _, TERM: __, ...fields } = first.dims;
  const dims = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, [value as number, second.dims[name] as number]]),
  );
  const groups = groupsOf(first);
  return {
    kernel: "repackPair",
    dims: { ...dims, GROUPS: groups },
    workgroups: grid(groups + groupsOf(second)),
    bind: [first.bind![0], second.bind![0], first.bind![1], second.bind![1]],
  };
}

function groupsOf({ dims }: Pick<Pass, "dims">): number {
  const { N0, N1, N2, N3, SPAN } = dims as Record<string, number>;
  return Math.ceil((N0 * N1 * N2 * Math.ceil(N3 / (4 * SPAN))) / 64);
}

export const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
