import * as ops from "../../../core/ops/mod.ts";
import { broadcastAxes } from "../../../core/tensor/axes.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { grid } from "../grid.ts";
import type { KernelPlan, Lowering, Pass } from "../kernel.ts";
import type { MatrixShape } from "../subgroupMatrices.ts";
import { type Multiply, multiplyRegisters, multiplySubgroup } from "./matmul.ts";
import { MATRICES_NEEDED, matricesFor, matrixLanes } from "./matrices.ts";
import { softmaxPass } from "./softmax.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/** Sizes of q [.., N, D], k [.., M, D], v [.., M, E], and how far a step along each batch axis goes in them. */
export interface AttentionSizes {
  readonly N: number;
  readonly M: number;
  readonly D: number;
  readonly E: number;
  readonly scale: number;
  readonly batch: readonly { size: number; q: number; k: number; v: number }[];
}

function sizesOf(node: Tensor): AttentionSizes {
  const {
    inputs: [q, k, v],
    shape,
  } = node;
  const [N, E] = shape.slice(-2);
  const [M, D] = k.shape.slice(-2);
  const heads = (x: Tensor) => x.shape.slice(0, -2);
  const batch = broadcastAxes(heads(node), [q, k, v].map(heads)).map(({ size, strides: [ofQ, ofK, ofV] }) => ({
    size,
    q: ofQ * N * D,
    k: ofK * M * D,
    v: ofV * M * E,
  }));
  return { N, M, D, E, scale: ops.attrsOf(node, ops.attention.spec).scale, batch };
}

/** Elements of the matrix of scores. */
const scoresOf = ({ N, M, batch }: AttentionSizes): number => sizeOf(batch.map(({ size }) => size)) * N * M;

/** q·kᵀ, softmax and the product with v, one after the other, by the kernels of those ops. */
function planProducts(sizes: AttentionSizes, multiply: Multiply, lanesOf8: boolean): KernelPlan {
  const { N, M, D, E, scale, batch } = sizes;
  const scores = scoresOf(sizes);
  const first = multiply(
    {
      M: N,
      K: D,
      N: M,
      transA: false,
      transB: true,
      scale,
      batch: batch.map(({ size, q, k }) => ({ size, a: q, b: k })),
    },
    { a: 0, b: 1, c: "temp 0", temps: 2 },
  );
  let step = N * M;
  const steps = new Map<object, number>();
  for (const axis of [...batch].reverse()) {
    steps.set(axis, step);
    step *= axis.size;
  }
  const second = multiply(
    {
      M: N,
      K: M,
      N: E,
      transA: false,
      transB: false,
      batch: batch.map((axis) => ({ size: axis.size, a: steps.get(axis)!, b: axis.v })),
    },
    { a: "temp 1", b: 2, c: "output", temps: 2 + first.temps.length },
  );
  return {
    passes: [
      ...first.passes,
      softmaxPass({ rows: scores / M, length: M }, lanesOf8, ["temp 0", "temp 1"]),
      ...second.passes,
    ],
    temps: [scores, scores, ...first.temps, ...second.temps],
  };
}

/** A kernel that computes a tile of queries and columns of v from start to end. */
interface TileKernel extends Pick<Pass, "kernel" | "constants" | "matrices"> {
  readonly queries: number;
  readonly columns: number;
}

const online: TileKernel = { kernel: "attention", queries: 64, columns: 32 };

/** One pass of a kernel for every index of the batch axes that one dispatch can't take: it takes three. */
function planTiles(sizes: AttentionSizes, { queries, columns, ...kernel }: TileKernel): KernelPlan {
  const { N, M, D, E, scale, batch } = sizes;
  const [outer, inner] = [batch.slice(0, -3), batch.slice(-3)];
  const none = { size: 1, q: 0, k: 0, v: 0 };
  const [z0, z1, z2] = [...new Array<typeof none>(3 - inner.length).fill(none), ...inner];
  const batches = z0.size * z1.size * z2.size;
  const groups = Math.ceil(N / queries) * Math.ceil(E / columns) * batches;
  const passes: Pass[] = [];
  for (let index = 0; index < sizeOf(outer.map(({ size }) => size)); index++) {
    const base = { Q_BASE: 0, K_BASE: 0, V_BASE: 0, Y_BASE: index * batches * N * E };
    let rest = index;
    for (const { size, q, k, v } of [...outer].reverse()) {
      base.Q_BASE += (rest % size) * q;
      base.K_BASE += (rest % size) * k;
      base.V_BASE += (rest % size) * v;
      rest = Math.floor(rest / size);
    }
    passes.push({
      ...kernel,
      dims: {
        N,
        M,
        D,
        E,
        GROUPS: groups,
        SCALE: scale,
        ...base,
        Z1: z1.size,
        Z2: z2.size,
        Q0: z0.q,
        Q1: z1.q,
        Q2: z2.q,
        K0: z0.k,
        K1: z1.k,
        K2: z2.k,
        V0: z0.v,
        V1: z1.v,
        V2: z2.v,
      },
      workgroups: grid(groups),
    });
  }
  return { passes };
}

/** By wgsl/attentionMatrix.wgsl. */
export const attentionOnMatrices = (sizes: AttentionSizes, matrices: MatrixShape, lanes: number): KernelPlan =>
  planTiles(sizes, { kernel: "attentionMatrix", constants: { LANES: lanes }, matrices, queries: 64, columns: 64 });

/** Most scores that are worth storing: beyond, they cost more memory than time. */
const MANY_SCORES = 2 ** 22;

/** See wgsl/attention.wgsl and wgsl/attentionMatrix.wgsl; the other variants run on the kernels of matmul and softmax. */
export const attention: Lowering = {
  op: "attention",
  variants: [
    {
      name: "subgroup8",
      supports: (node, traits) => hasLanesOf8(traits) && scoresOf(sizesOf(node)) <= MANY_SCORES,
      plan: (node) => planProducts(sizesOf(node), multiplySubgroup, true),
    },
    {
      name: "products",
      supports: (node, { software }) => software && scoresOf(sizesOf(node)) <= MANY_SCORES,
      plan: (node) => planProducts(sizesOf(node), multiplyRegisters, false),
    },
    {
      name: "matrices",
      needs: MATRICES_NEEDED,
      supports: ({ inputs }, traits) => matricesFor(["attention"], inputs, traits) !== undefined,
      plan: (node, traits) =>
        attentionOnMatrices(sizesOf(node), matricesFor(["attention"], node.inputs, traits)!, matrixLanes(traits)),
    },
    {
      name: "online",
      supports: () => true,
      plan: (node) => planTiles(sizesOf(node), online),
    },
  ],
};
