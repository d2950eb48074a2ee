import { attentionGradPlaces } from "../../../core/ops/attentionGrad.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { grid } from "../grid.ts";
import type { Bound, KernelPlan, Lowering, Pass } from "../kernel.ts";
import { type Multiply, multiplyRegisters, multiplySubgroup, type Product } from "./matmul.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/** Sizes of q [B, N, D], k [B, M, D] and v [B, M, E]. */
interface Sizes {
  readonly B: number;
  readonly N: number;
  readonly M: number;
  readonly D: number;
  readonly E: number;
  readonly scale: number;
}

function sizesOf(node: Tensor): Sizes {
  const [q, , v] = node.inputs;
  const [B, N, D] = q.shape;
  const [, M, E] = v.shape;
  return { B, N, M, D, E, scale: ops.attrsOf(node, ops.attentionGrad.spec).scale };
}

const placesOf = ({ B, N, M, D, E }: Sizes) => attentionGradPlaces([B, N, D], [B, M, E]);

/** Queries or keys of a workgroup of the two kernels in tiles. */
const TILE = 32;

/** Both kernels compute the probabilities of a tile at a time; the second from what the first kept of each row. */
function planTiles(sizes: Sizes): KernelPlan {
  const { B, N, M, D, E, scale } = sizes;
  const { dk, dv } = placesOf(sizes);
  // Wider heads take a workgroup for every 64 columns, each of which computes all probabilities again.
  const WIDTH = Math.max(D, E) > 32 ? 64 : 32;
  const shared = { N, M, D, E, SCALE: scale };
  const ofQueries = B * Math.ceil(D / WIDTH) * Math.ceil(N / TILE);
  const ofKeys = B * Math.ceil(Math.max(D, E) / WIDTH) * Math.ceil(M / TILE);
  return {
    passes: [
      {
        kernel: "attentionGradQueries",
        constants: { WIDTH },
        dims: { ...shared, GROUPS: ofQueries },
        workgroups: grid(ofQueries),
        bind: [0, 1, 2, 3, 4, "temp 0", "output"],
      },
      {
        kernel: "attentionGradKeys",
        constants: { WIDTH },
        dims: { ...shared, GROUPS: ofKeys, DK: dk, DV: dv },
        workgroups: grid(ofKeys),
        bind: [0, 1, 2, 4, "temp 0", "output"],
      },
    ],
    temps: [2 * B * N],
  };
}

/** Scores to probabilities in temporary 0, and their cotangents to slopes in temporary 1. */
function slopesPass({ B, N, M, E, scale }: Sizes, lanesOf8: boolean): Pass {
  const ROWS = B * N;
  const bind: Bound[] = [3, 4, "temp 0", "temp 1"];
  if (!lanesOf8 || M % 4 || E % 4) {
    const dims = { ROWS, M, E, SCALE: scale };
    return { kernel: "attentionSlopes", dims, workgroups: grid(ROWS), bind };
  }
  const PER = Math.max(1, Math.min(16, Math.floor(ROWS / 64)));
  return {
    kernel: "attentionSlopesSubgroup",
    dims: { ROWS, PER, M4: M / 4, E4: E / 4, SCALE: scale },
    workgroups: grid(Math.ceil(ROWS / PER)),
    bind,
  };
}

/** Five products with both matrices of N × M kept in between, by the kernels of matmul. */
function planProducts(sizes: Sizes, multiply: Multiply, lanesOf8: boolean): KernelPlan {
  const { B, N, M, D, E, scale } = sizes;
  const { dk, dv } = placesOf(sizes);
  const passes: Pass[] = [];
  const temps = [B * N * M, B * N * M];
  const product = (a: Bound, b: Bound, c: Bound, sizes: Omit<Product, "batch">) => {
    const batch = [{ size: B, a: sizes.M * sizes.K, b: sizes.K * sizes.N }];
    const plan = multiply({ ...sizes, batch }, { a, b, c, temps: temps.length });
    passes.push(...plan.passes);
    temps.push(...plan.temps);
  };
  const byKeys = { transA: false, transB: true } as const;
  const overQueries = { K: N, transA: true, transB: false } as const;
  product(0, 1, "temp 0", { M: N, K: D, N: M, ...byKeys, scale });
  product(4, 2, "temp 1", { M: N, K: E, N: M, ...byKeys });
  passes.push(slopesPass(sizes, lanesOf8));
  product("temp 1", 1, "output", { M: N, K: M, N: D, transA: false, transB: false });
  product("temp 1", 0, `output ${dk}`, { M, N: D, ...overQueries });
  product("temp 0", 4, `output ${dv}`, { M, N: E, ...overQueries });
  return { passes, temps };
}

/** Most scores that software adapters keep, 64 MiB of them: in tiles they take more than ten times as long. */
const MANY_SCORES = 2 ** 24;
const hasFewScores = (node: Tensor): boolean => {
  const { B, N, M } = sizesOf(node);
  return B * N * M <= MANY_SCORES;
};

/**
 * See wgsl/attentionGradQueries.wgsl and wgsl/attentionGradKeys.wgsl. Software adapters do without their barriers: they
 * keep the probabilities and run on the kernels of matmul, with wgsl/attentionSlopes.wgsl in between.
 */
export const attentionGrad: Lowering = {
  op: "attentionGrad",
  variants: [
    {
      name: "subgroup8",
      supports: (node, traits) => hasLanesOf8(traits) && hasFewScores(node),
      plan: (node) => planProducts(sizesOf(node), multiplySubgroup, true),
    },
    {
      name: "products",
      supports: (node, { software }) => software && hasFewScores(node),
      plan: (node) => planProducts(sizesOf(node), multiplyRegisters, false),
    },
    {
      name: "tiles",
      supports: () => true,
      plan: (node) => planTiles(sizesOf(node)),
    },
  ],
};
