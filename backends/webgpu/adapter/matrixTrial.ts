import { DimsBlock } from "../dimsBlock.ts";
import { KernelLibrary } from "../kernelSource.ts";
import { multiplyMatrices } from "../kernels/matmul.ts";
import { matrixLanes } from "../kernels/matrices.ts";
import type { MatrixShape } from "../subgroupMatrices.ts";
import { tryKernel } from "./tryKernel.ts";

/** Odd sizes: edges in both directions, all four quadrants of a tile, two steps along k. */
const [M, N, K] = [37, 45, 19];
const SCALE = 0.5;

/**
 * Multiplies two small matrices on subgroup matrices, with the kernel that everything else is multiplied with. Says what is
 * wrong with the result, or undefined. The numbers are such that all sums are exact in f32, and that no smaller type would
 * do, be it for the factors or for the sums.
 * @throws Error when the kernel does not run
 */
export async function multiplyOnce(
  device: GPUDevice,
  shape: MatrixShape,
  { subgroupMaxSize = 0 }: Pick<GPUAdapterInfo, "subgroupMaxSize">,
): Promise<string | undefined> {
  // All bits of a factor of 11 bits, or of 16: TF32, which is no f32, keeps 11.
  const large = shape.factors === "f16" ? 2047 : 32769;
  const a = matrix(M, K, (m, k) => value(m * K + k, k % 2 === 0 ? large : 7));
  const b = matrix(K, N, (k, n) => value(k * N + n, k % 2 === 0 ? 7 : large));
  const product = { M, N, K, transA: false, transB: false, batch: [], scale: SCALE };
  const { passes } = multiplyMatrices(shape, matrixLanes({ subgroupMaxSize }))(product, {
    a: 0,
    b: 1,
    c: "output",
    temps: 0,
  });
  const [{ kernel: name, constants, dims, workgroups }] = passes;
  const kernel = new KernelLibrary().get(name, shape);
  const block = new DimsBlock();
  block.add(kernel, dims);
  const c = await tryKernel(device, {
    label: "onestep/matrixTrial",
    code: kernel.code,
    constants,
    workgroups: workgroups[0],
    bindings: [{ storage: a }, { storage: b }, { results: M * N }, { uniform: block.bytes() }],
  });
  const expected = matrix(M, N, (m, n) => {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += a[m * K + k] * b[k * N + n];
    return SCALE * sum;
  });
  const wrong = expected.findIndex((exact, i) => c[i] !== exact);
  if (wrong < 0) return undefined;
  return `it computes wrong values: ${c[wrong]} instead of ${expected[wrong]}`;
}

function matrix(rows: number, columns: number, at: (row: number, column: number) => number) {
  return Float32Array.from({ length: rows * columns }, (_, i) => at(Math.floor(i / columns), i % columns));
}

/** Odd numbers of both signs, not far below `most`. */
const value = (i: number, most: number): number => (i % 3 === 0 ? -1 : 1) * (most - 2 * (i % 4));
