import * as ops from "../../../core/ops/mod.ts";
import { broadcastAxes } from "../../../core/tensor/axes.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import { grid } from "../grid.ts";
import type { Bound, KernelPlan, KernelVariant, Lowering, Pass } from "../kernel.ts";
import type { MatrixShape } from "../subgroupMatrices.ts";
import { MATRICES_NEEDED, matricesFor, matrixLanes } from "./matrices.ts";
import { repack, roundUp } from "./repack.ts";
import { hasLanesOf8, hasTiles } from "./subgroups.ts";

/** A batch axis: how far a step along it goes in a and in b, 0 where that operand is broadcast. */
interface BatchAxis {
  readonly size: number;
  readonly a: number;
  readonly b: number;
}

/** c[z] = scale · a[z]·b[z], the result dense; see the op. */
export interface Product {
  readonly M: number;
  readonly K: number;
  readonly N: number;
  /** a is stored [K, M]. */
  readonly transA: boolean;
  /** b is stored [N, K]. */
  readonly transB: boolean;
  /** Outermost first; strides in elements. */
  readonly batch: readonly BatchAxis[];
  readonly scale?: number;
  /** Most terms that are added up in one go, a multiple of four: longer sums are cut, which keeps their errors small. */
  readonly terms?: number;
}

/** What a product reads and writes. Temporaries from number `temps` on are free for its passes. */
interface Operands {
  readonly a: Bound;
  readonly b: Bound;
  readonly c: Bound;
  readonly temps: number;
}

/** How a product runs: as a plan whose temporaries come behind those of the caller. */
export type Multiply = (product: Product, operands: Operands) => Required<KernelPlan>;

const variant = (
  name: string,
  multiply: Multiply,
  supports: (traits: DeviceTraits) => boolean,
  epilogue = true,
): KernelVariant => ({
  name,
  epilogue,
  supports: (_, traits) => supports(traits),
  plan: (node) => multiply(productOf(node), { a: 0, b: 1, c: "output", temps: 0 }),
});

const matrices: KernelVariant = {
  name: "matrices",
  needs: MATRICES_NEEDED,
  supports: ({ inputs }, traits) => matricesFor(["products"], inputs, traits) !== undefined,
  epilogue: true,
  plan: (node, traits) =>
    multiplyMatrices(matricesFor(["products"], node.inputs, traits)!, matrixLanes(traits))(productOf(node), {
      a: 0,
      b: 1,
      c: "output",
      temps: 0,
    }),
};

function productOf(node: Tensor): Product {
  const { transA, transB } = ops.attrsOf(node, ops.matmul.spec);
  const {
    inputs: [a, b],
    shape,
  } = node;
  const [M, N] = shape.slice(-2);
  const K = a.shape[a.shape.length - (transA ? 2 : 1)];
  const outer = (x: Tensor) => x.shape.slice(0, -2);
  const axes = broadcastAxes(outer(node), [outer(a), outer(b)]);
  // Matrices of a under one another that meet the same b are one taller matrix.
  const [ofA, ofB] = axes.at(-1)?.strides ?? [];
  const rows = !transA && ofA === 1 && ofB === 0 ? axes.pop()!.size : 1;
  const batch = axes.map(({ size, strides }) => ({
    size,
    a: strides[0] * M * K,
    b: strides[1] * K * N,
  }));
  return { M: M * rows, K, N, transA, transB, batch };
}

/** Passes for every index of the batch axes that one dispatch can't take: it takes three. */
function forOuterAxes(
  batch: readonly BatchAxis[],
  resultSize: number,
  pass: (dims: Record<string, number>) => Pass,
): Pass[] {
  const [outer, inner] = [batch.slice(0, -3), batch.slice(-3)];
  const [z0, z1, z2] = [...new Array(3 - inner.length).fill({ size: 1, a: 0, b: 0 }), ...inner];
  const batches = z0.size * z1.size * z2.size;
  const passes: Pass[] = [];
  for (let index = 0; index < sizeOf(outer.map(({ size }) => size)); index++) {
    let [rest, aBase, bBase] = [index, 0, 0];
    for (const { size, a, b } of [...outer].reverse()) {
      aBase += (rest % size) * a;
      bBase += (rest % size) * b;
      rest = Math.floor(rest / size);
    }
    passes.push(
      pass({
        A_BASE: aBase,
        B_BASE: bBase,
        C_BASE: index * batches * resultSize,
        BATCHES: batches,
        Z1: z1.size,
        Z2: z2.size,
        A0: z0.a,
        A1: z1.a,
        A2: z2.a,
        B0: z0.b,
        B1: z1.b,
        B2: z2.b,
      }),
    );
  }
  return passes;
}

/** In how many parts to sum, so that `groups` of them make `wanted`, each of at least `least` of `blocks` blocks. */
export function chunksOf(groups: number, wanted: number, blocks: number, least: number): number {
  const chunks = Math.min(Math.ceil(wanted / groups), Math.floor(blocks / least));
  return Math.max(1, chunks);
}

/** A kernel that reads operands through strides, element by element, and what one of its tiles is. */
interface StridedKernel extends Pick<Pass, "kernel" | "constants" | "matrices"> {
  readonly rows: number;
  readonly columns: number;
  /** Tiles of one workgroup. */
  readonly perGroup: number;
  /** Tiles worth computing at once: sums are cut into chunks for them, of at least `least` terms. */
  readonly wanted: number;
  readonly least: number;
}

const strided =
  ({ rows, columns, perGroup, wanted, least, ...kernel }: StridedKernel): Multiply =>
  ({ M, K, N, transA, transB, batch, scale = 1 }, { a, b, c, temps }) => {
    const batches = sizeOf(batch.map(({ size }) => size));
    const perMatrix = Math.ceil(M / rows) * Math.ceil(N / columns);
    // Several sums for one result only where one dispatch takes all batch axes.
    const parts = batch.length <= 3 ? chunksOf(perMatrix * batches, wanted, K, least) : 1;
    const CHUNK = Math.ceil(K / parts);
    const chunks = Math.ceil(K / CHUNK);
    const target = chunks > 1 ? (`temp ${temps}` as const) : c;
    const passes = forOuterAxes(batch, M * N, (dims) => {
      const TILES = perMatrix * dims.BATCHES * chunks;
      return {
        ...kernel,
        dims: {
          M,
          N,
          K,
          TILES,
          CHUNK,
          scale,
          ...dims,
          ...(transA ? { A_ROW: 1, A_K: M } : { A_ROW: K, A_K: 1 }),
          ...(transB ? { B_K: 1, B_COL: K } : { B_K: N, B_COL: 1 }),
        },
        workgroups: grid(Math.ceil(TILES / perGroup)),
        bind: [a, b, target],
      };
    });
    if (chunks === 1) return { passes, temps: [] };
    const size = batches * M * N;
    return { passes: [...passes, sumChunks(target, c, size, chunks)], temps: [chunks * size] };
  };

/** For any device; see wgsl/matmul.wgsl. */
export const multiplyRegisters = strided({
  kernel: "matmul",
  rows: 4,
  columns: 8,
  perGroup: 64,
  wanted: 2048,
  least: 256,
});

/** For hardware; see wgsl/matmulTile.wgsl. */
export const multiplyTiles = strided({
  kernel: "matmulTile",
  rows: 64,
  columns: 64,
  perGroup: 1,
  wanted: 256,
  least: 256,
});

/** For hardware that multiplies matrices, with workgroups of so many invocations; see wgsl/matmulMatrix.wgsl. */
export const multiplyMatrices = (matrices: MatrixShape, LANES: number): Multiply =>
  strided({
    kernel: "matmulMatrix",
    constants: { LANES },
    matrices,
    rows: 64,
    columns: 64,
    perGroup: 1,
    wanted: 256,
    least: 256,
  });

/** Adds `chunks` results of `size` elements that lie behind each other. */
export const sumChunks = (from: Bound, to: Bound, size: number, chunks: number): Pass =>
  repack(from, to, {
    // Rows of 256 so that many invocations share the work.
    axes: [
      { size: 1, stride: 0 },
      { size: 1, stride: 0 },
      { size: 1, stride: 0 },
      { size, stride: 1 },
    ],
    terms: [chunks, size],
  });

/** Rows of a subgroup's tile and what it reaches with them, measured on lavapipe, in GFLOP/s. */
const tileClasses = [
  [8, 13],
  [16, 17],
  [32, 21],
] as const;

/** Rows per tile, for the least time over `rows`. */
export const bestTile = (rows: number): number => {
  const time = ([tile, speed]: readonly [number, number]) => roundUp(rows, tile) / speed;
  return tileClasses.reduce((best, each) => (time(each) < time(best) ? each : best))[0];
};

/** For subgroups of 8 lanes; see wgsl/matmulSubgroup.wgsl. */
export const multiplySubgroup: Multiply = (product, operands) => {
  const { M, K, N, batch, scale = 1 } = product;
  const passes: Pass[] = [];
  const temps: number[] = [];
  const take = (size: number): Bound => `temp ${operands.temps + temps.push(size) - 1}`;
  let axes = batch;

  // Four neighbours are read at once: a matrix whose rows are no multiple of four is copied, with longer rows and as the
  // product reads it.
  const ready = (key: "a" | "b", rows: number, columns: number, isTransposed: boolean) => {
    if ((isTransposed ? rows : columns) % 4 === 0) return { bound: operands[key], isTransposed };
    const width = roundUp(columns, 4);
    const count = sizeOf(axes.filter((axis) => axis[key] !== 0).map(({ size }) => size));
    const bound = take(count * rows * width);
    passes.push(
      repack(operands[key], bound, {
        axes: [
          { size: count, stride: rows * columns },
          { size: rows, stride: isTransposed ? 1 : columns },
          { size: 1, stride: 0 },
          { size: width, stride: isTransposed ? rows : 1, limit: columns },
        ],
      }),
    );
    axes = axes.map((axis) => ({ ...axis, [key]: (axis[key] / columns) * width }));
    return { bound, isTransposed: false };
  };
  const { bound: a, isTransposed: transA } = ready("a", M, K, product.transA);
  const { bound: b, isTransposed: transB } = ready("b", K, N, product.transB);

  const N4 = Math.ceil(N / 4);
  const batches = sizeOf(batch.map(({ size }) => size));
  const ROWS = bestTile(M);
  const tiles = Math.ceil(M / ROWS) * Math.ceil(N4 / 8);
  const blocks = Math.ceil(K / 4);
  const wanted = batch.length <= 3 ? chunksOf(tiles * batches, 16, blocks, 64) : 1;
  const CHUNK = Math.min(Math.ceil(blocks / wanted), product.terms ? product.terms / 4 : blocks);
  const chunks = Math.ceil(blocks / CHUNK);
  const size = batches * M * N4 * 4;
  const isDirect = chunks === 1 && N % 4 === 0;
  const target = isDirect ? operands.c : take(chunks * size);
  const quarter = axes.map((axis) => ({ ...axis, a: axis.a / 4, b: axis.b / 4 }));
  passes.push(
    ...forOuterAxes(quarter, M * N4, (dims) => {
      const TILES = tiles * dims.BATCHES * chunks;
      return {
        kernel: "matmulSubgroup",
        constants: { ROWS, TRANS_A: Number(transA), TRANS_B: Number(transB) },
        dims: {
          M,
          N4,
          K,
          TILES,
          CHUNK,
          scale,
          ...dims,
          A_STRIDE: Math.ceil((transA ? M : K) / 4),
          B_STRIDE: transB ? Math.ceil(K / 4) : N4,
        },
        workgroups: grid(TILES),
        bind: [a, b, target],
      };
    }),
  );
  if (!isDirect && N % 4 === 0) passes.push(sumChunks(target, operands.c, size, chunks));
  else if (!isDirect) {
    const single = { size: 1, stride: 0 };
    passes.push(
      repack(target, operands.c, {
        axes: [{ size: batches * M, stride: N4 * 4 }, single, single, { size: N, stride: 1 }],
        terms: [chunks, size],
      }),
    );
  }
  return { passes, temps };
};

/** See the four kernels. */
export const matmul: Lowering = {
  op: "matmul",
  variants: [
    // Stores at 32 places, those at the edge twice.
    variant("subgroup8", multiplySubgroup, hasLanesOf8, false),
    matrices,
    variant("tiles", multiplyTiles, hasTiles),
    variant("registers", multiplyRegisters, () => true),
  ],
};
