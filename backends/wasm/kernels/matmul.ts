import * as ops from "../../../core/ops/mod.ts";
import { type Axis, broadcastAxes } from "../../../core/tensor/axes.ts";
import { type Shape, sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { at, type Call, grainOf, type KernelPlan, type Lowering, own, temp } from "../kernel.ts";
import { kindOf } from "../widening.ts";
import { batchParts } from "./batchParts.ts";

/** Floating-point operations of a product in a nanosecond, for grains only. */
const FLOPS = 40;

/**
 * Few rows: b in place. A batch of small matrices: each packed by the thread that multiplies it. Otherwise b (and a
 * transposed a) is packed by a call of its own, then blocks of c are computed.
 */
export const matmul: Lowering = {
  op: "matmul",
  plan(node) {
    const product = geometryOf(node);
    const { M, N, K, count, transA, transB } = product;
    if (M <= 8 && !transB) return fewRows(node, product);
    if (M <= 4 && !transA) return fewRowsTransposed(node, product);
    return count > 1 && M * N * K <= 1 << 22 ? batched(node, product) : blocks(node, product);
  },
};

interface Product {
  readonly M: number;
  readonly N: number;
  readonly K: number;
  readonly transA: boolean;
  readonly transB: boolean;
  /** Products in the batch. */
  readonly count: number;
  readonly axes: readonly Axis[];
}

function geometryOf(node: Tensor): Product {
  const [a, b] = node.inputs;
  const { transA, transB } = ops.attrsOf(node, ops.matmul.spec);
  const [K, N] = [a.shape.at(transA ? -2 : -1)!, node.shape.at(-1)!];
  let M = node.shape.at(-2)!;
  let axes = broadcastAxes(batchOf(node), [batchOf(a), batchOf(b)]);
  // Matrices of a under one another that meet the same b are one taller matrix.
  const last = axes.at(-1);
  if (last && !transA && last.strides[0] === 1 && last.strides[1] === 0) {
    M *= last.size;
    axes = axes.slice(0, -1).map(({ size, strides: [x, y] }) => ({ size, strides: [x / last.size, y] }));
  }
  return { M, N, K, transA, transB, count: sizeOf(axes.map(({ size }) => size)), axes };
}

const batchOf = ({ shape }: Tensor): Shape => shape.slice(0, -2);

/** Address arguments of the operands and the result, and the strides of a batch, for every part of it. */
function partsOf(node: Tensor, { M, N, K, axes }: Product, sizeA = M * K, sizeB = K * N) {
  return batchParts(axes, 2).map(({ count, inner, strides: [a, b], offsets, first }) => ({
    count,
    offsets: [offsets[0] * sizeA, offsets[1] * sizeB],
    c: at(node, first * M * N),
    batch: [inner, a.outer * sizeA, a.inner * sizeA, b.outer * sizeB, b.inner * sizeB],
  }));
}

function fewRows(node: Tensor, product: Product): KernelPlan {
  const { M, N, K, transA } = product;
  const [a, b] = node.inputs;
  const aSteps = transA ? [1, M] : [K, 1];
  const calls = partsOf(node, product).map(({ count, offsets, c, batch }) => ({
    fn: "gemmFewRows",
    args: [at(a, offsets[0]), at(b, offsets[1]), c, M, N, K, ...aSteps, ...batch],
    items: count * Math.ceil(N / 8),
    grain: grainOf((16 * Math.max(4, M) * K) / FLOPS + 20),
  }));
  return { calls };
}

function fewRowsTransposed(node: Tensor, product: Product): KernelPlan {
  const { M, N, K } = product;
  const [a, b] = node.inputs;
  const calls = partsOf(node, product).map(({ count, offsets, c, batch }) => ({
    fn: "gemmFewRowsTransposed",
    args: [at(a, offsets[0]), at(b, offsets[1]), c, M, N, K, ...batch],
    items: count * N,
    grain: grainOf((4 * M * K) / FLOPS + 10),
  }));
  return { calls };
}

function batched(node: Tensor, product: Product): KernelPlan {
  const { M, N, K, transA, transB } = product;
  const [a, b] = node.inputs;
  const form = [M, N, K, Number(transA), Number(transB)];
  const calls = partsOf(node, product).map(({ count, offsets, c, batch }) => ({
    fn: "gemmBatch",
    args: [at(a, offsets[0]), at(b, offsets[1]), c, own, ...form, ...batch],
    items: count,
    grain: grainOf((2 * M * N * K) / FLOPS + 50),
  }));
  return { calls, threadSpace: roundUp(N, 8) * K + (transA ? M * K : 0) };
}

function blocks(node: Tensor, product: Product): KernelPlan {
  const { M, N, K, count, transA, transB } = product;
  const [a, b] = node.inputs;
  const sizeB = roundUp(N, 8) * K;
  const matricesA = sizeOf(a.shape) / (M * K || 1);
  const matricesB = sizeOf(b.shape) / (K * N || 1);
  const calls: Call[] = [
    {
      fn: "gemmPackB",
      args: [at(b), temp(0), own, K, N, Number(transB), kindOf(b)],
      items: matricesB * Math.ceil(N / 8),
      grain: grainOf(3 * K),
    },
  ];
  if (transA)
    calls.push({
      fn: "gemmPackA",
      args: [at(a), temp(1), M, K],
      items: matricesA * Math.ceil(M / 32),
      grain: grainOf(16 * K),
    });
  const [mBlock, nBlock] = blockSize(product, count);
  const parts = partsOf(node, product, M * K, sizeB);
  for (const { count, offsets, c, batch } of parts)
    calls.push({
      fn: "gemm",
      args: [
        transA ? temp(1, offsets[0]) : at(a, offsets[0]),
        temp(0, offsets[1]),
        c,
        M,
        N,
        K,
        mBlock,
        nBlock,
        ...batch,
      ],
      items: count * Math.ceil(M / mBlock) * Math.ceil(N / nBlock),
      grain: grainOf((2 * mBlock * nBlock * K) / FLOPS),
    });
  const temps = [matricesB * sizeB, ...(transA ? [matricesA * M * K] : [])];
  return { calls, temps, halves: [b], threadSpace: transB && kindOf(b) > 0 ? 8 * K : 0 };
}

/** Blocks of c large enough to be worth a call, yet enough of them to go round. */
function blockSize({ M, N, K }: Product, count: number): [number, number] {
  let [m, n] = [64, 256];
  const enough = () => count * Math.ceil(M / m) * Math.ceil(N / n) >= 8 || 2 * m * n * K < 1e6;
  while (!enough() && (m > 16 || n > 32)) {
    if (n > 32 && (n >= 2 * m || m <= 16)) n /= 2;
    else m /= 2;
  }
  return [m, n];
}

const roundUp = (size: number, multiple: number): number => Math.ceil(size / multiple) * multiple;
