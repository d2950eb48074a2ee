import { DimsBlock } from "../dimsBlock.ts";
import type { Pass } from "../kernel.ts";
import { KernelLibrary } from "../kernelSource.ts";
import { attentionOnMatrices } from "../kernels/attention.ts";
import { type ConvSizes, convolveForward, convolveWeightGrad, onMatrices } from "../kernels/convolve.ts";
import { multiplyMatrices } from "../kernels/matmul.ts";
import type { MatrixShape, MatrixUse } from "../subgroupMatrices.ts";
import { tryKernel } from "./tryKernel.ts";

/**
 * A small job for a kernel on subgroup matrices. The numbers are such that all sums are exact in f32, and that no smaller
 * type would do, be it for the factors or for the sums.
 */
export interface MatrixTrial {
  readonly pass: Pass;
  /** Contents of the bindings before the result. */
  readonly inputs: readonly Float32Array<ArrayBuffer>[];
  readonly expected: Float32Array;
  /** Part of a result that may be wrong: where there are quotients. Default: 0. */
  readonly within?: number;
}

/**
 * Runs a kernel on subgroup matrices, with which everything else of its use is computed. Says what is wrong with the
 * result, or undefined.
 * @throws Error when the kernel does not run
 */
export async function runTrial(
  device: GPUDevice,
  shape: MatrixShape,
  { pass, inputs, expected, within = 0 }: MatrixTrial,
): Promise<string | undefined> {
  const kernel = new KernelLibrary().get(pass.kernel, shape);
  const block = new DimsBlock();
  block.add(kernel, pass.dims);
  const found = await tryKernel(device, {
    label: "onestep/matrixTrial",
    code: kernel.code,
    constants: pass.constants,
    workgroups: pass.workgroups[0],
    bindings: [...inputs.map((storage) => ({ storage })), { results: expected.length }, { uniform: block.bytes() }],
  });
  const wrong = expected.findIndex((exact, i) => !(Math.abs(found[i] - exact) <= within * Math.abs(exact)));
  if (wrong < 0) return undefined;
  return `it computes wrong values: ${found[wrong]} instead of ${expected[wrong]}`;
}

/** One for each kernel, by its use; products first. Kernels that load vectors of four only do for sizes of four. */
export function trialsOf(shape: MatrixShape, lanes: number): (readonly [MatrixUse, readonly MatrixTrial[]])[] {
  const products = ["products", [product(shape, lanes)]] as const;
  if (shape.N % 4 || shape.K % 4) return [products];
  return [
    products,
    ["convolutions", [convolution(shape, lanes), weightGradient(shape, lanes)]],
    ["attention", [attention(shape, lanes)]],
  ];
}

/** Odd sizes: edges in both directions, all four quadrants of a tile, two steps along k. */
function product(shape: MatrixShape, lanes: number): MatrixTrial {
  const [M, N, K] = [37, 45, 19];
  const scale = 0.5;
  const large = largest(shape);
  const a = filled([M, K], ([m, k]) => value(m * K + k, k % 2 === 0 ? large : SMALL));
  const b = filled([K, N], ([k, n]) => value(k * N + n, k % 2 === 0 ? SMALL : large));
  const {
    passes: [pass],
  } = multiplyMatrices(shape, lanes)(
    { M, N, K, transA: false, transB: false, batch: [], scale },
    { a: 0, b: 1, c: "output", temps: 0 },
  );
  const expected = filled([M, N], ([m, n]) => scale * sumOf(K, (k) => a[m * K + k] * b[k * N + n]));
  return { pass, inputs: [a, b], expected };
}

/** More than one tile of pixels, part of one of channels, and three steps along taps and channels. */
const sizes: ConvSizes = { B: 3, C: 4, H: 4, W: 6, O: 37, R: 3, S: 3, OH: 4, OW: 6, stride: [1, 1], padding: [1, 1] };
const { B, C, O, R, S, OH, OW } = sizes;
const [HEIGHT, WIDTH] = [OH + R - 1, OW + S - 1];

function convolution(shape: MatrixShape, lanes: number): MatrixTrial {
  const large = largest(shape);
  const x = filled([B, HEIGHT, WIDTH, C], ([, , , c], i) => value(i, c % 2 === 0 ? large : SMALL));
  const w = filled([R, S, O, C], ([, , , c], i) => value(i, c % 2 === 0 ? SMALL : large));
  const { passes } = convolveForward(sizes, onMatrices(shape, lanes));
  const expected = filled([B, O, OH, OW], ([b, o, h, v]) =>
    sumOf(R * S * C, (k) => {
      const [r, s, c] = [Math.floor(k / (S * C)), Math.floor(k / C) % S, k % C];
      return w[((r * S + s) * O + o) * C + c] * x[((b * HEIGHT + h + r) * WIDTH + v + s) * C + c];
    }),
  );
  return { pass: passes[1], inputs: [x, w], expected };
}

function weightGradient(shape: MatrixShape, lanes: number): MatrixTrial {
  const large = largest(shape);
  const x = filled([B, HEIGHT, WIDTH, C], ([b], i) => value(i, b % 2 === 0 ? large : SMALL));
  const dy = filled([B, O, OH, OW], ([b], i) => value(i, b % 2 === 0 ? SMALL : large));
  const { passes } = convolveWeightGrad(sizes, onMatrices(shape, lanes));
  const expected = filled([O, R, S, C], ([o, r, s, c]) =>
    sumOf(B * OH * OW, (k) => {
      const [b, h, v] = [Math.floor(k / (OH * OW)), Math.floor(k / OW) % OH, k % OW];
      return dy[((b * O + o) * OH + h) * OW + v] * x[((b * HEIGHT + h + r) * WIDTH + v + s) * C + c];
    }),
  );
  return { pass: passes[1], inputs: [x, dy], expected };
}

/**
 * Two tiles of keys. Their scores differ only by products with the last bits of one large factor, and by so much that a
 * result is the mean of the values of those keys that have the highest score.
 */
function attention(shape: MatrixShape, lanes: number): MatrixTrial {
  const [N, M, D, E] = [37, 70, 19, 46];
  const [scale, apart] = [64, 5];
  const large = largest(shape);
  const q = filled([N, D], ([, d], i) => value(i, d % 2 === 0 ? large : SMALL));
  const k = filled([M, D], ([m, d]) => (d === apart ? large - 2 * (m % 4) : value(d, d % 2 === 0 ? SMALL : large)));
  const v = filled([M, E], (_, i) => value(i, large));
  const {
    passes: [pass],
  } = attentionOnMatrices({ N, M, D, E, scale, batch: [] }, shape, lanes);
  const scores = filled([N, M], ([n, m]) => sumOf(D, (d) => q[n * D + d] * k[m * D + d]));
  const expected = filled([N, E], ([n, e]) => {
    const own = scores.subarray(n * M, (n + 1) * M);
    const top = Math.max(...own);
    const isHighest = (m: number) => Number(own[m] === top);
    return sumOf(M, (m) => isHighest(m) * v[m * E + e]) / sumOf(M, isHighest);
  });
  return { pass, inputs: [q, k, v], expected, within: 2 ** -20 };
}

/** All bits of a factor of 11 bits, or of 16: TF32, which is no f32, keeps 11. */
const largest = ({ factors }: MatrixShape): number => (factors === "f16" ? 2047 : 32769);
/** What such a factor is multiplied with. */
const SMALL = 7;

/** Odd numbers of both signs, not far below `most`. */
const value = (i: number, most: number): number => (i % 3 === 0 ? -1 : 1) * (most - 2 * (i % 4));

/** A dense array of numbers by their indices. */
function filled(
  shape: readonly number[],
  at: (indices: readonly number[], i: number) => number,
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => {
    let rest = i;
    const indices = shape.map(() => 0);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      indices[axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return at(indices, i);
  });
}

function sumOf(count: number, term: (k: number) => number): number {
  let sum = 0;
  for (let k = 0; k < count; k++) sum += term(k);
  return sum;
}
