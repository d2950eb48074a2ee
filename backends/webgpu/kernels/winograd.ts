import type { DeviceTraits } from "../adapter/traits.ts";
import { grid } from "../grid.ts";
import type { Bound, KernelPlan, Pass } from "../kernel.ts";
import type { ConvSizes } from "./convolve.ts";
import { multiplySubgroup } from "./matmul.ts";
import { repack, roundUp } from "./repack.ts";
import { hasLanesOf8 } from "./subgroups.ts";

/**
 * Winograd's convolutions: F(4×4, 3×3) forward and for the input's gradient, F(3×3, 4×4) for the weight's. Tiles of 4×4
 * pixels and 3×3 weights become 6×6 numbers each, of which only those at one place are multiplied: 36 matrix products
 * with a quarter of the multiplications. See wgsl/winogradInput.wgsl, winogradOutput.wgsl and winogradWeightGrad.wgsl.
 */

/** Products of a tile, and so matrices. */
const PLACES = 36;

/** Channels that are added up in one go: errors are larger than those of direct convolutions, and grow with the sums. */
const MOST_TERMS = 128;

/** With fewer channels on either side, the transforms cost more than the products save. */
const LEAST_CHANNELS = 16;
/** With fewer tiles in all images, the transform of the weights does. */
const LEAST_TILES = 8;
/** Part of the tiles' area that images have to fill: a tile costs the same whether it is full or not. */
const LEAST_FILLED = 0.75;

/** Whether they serve a convolution on a device, and gain there: all but the bindings' size is from measurements. */
export function hasWinograd(sizes: ConvSizes, traits: DeviceTraits): boolean {
  const { B, C, H, W, O, R, S, stride, padding } = sizes;
  if (!hasLanesOf8(traits) || R !== 3 || S !== 3 || C % 4 || O % 4) return false;
  if ([...stride, ...padding].some((value) => value !== 1)) return false;
  const { tiles } = tilesOf(sizes);
  const widest = Math.max(C, O);
  const largest = PLACES * Math.max(tiles * widest * Math.ceil(widest / MOST_TERMS), O * C) * 4;
  return (
    Math.min(C, O) >= LEAST_CHANNELS &&
    tiles >= LEAST_TILES &&
    B * H * W >= LEAST_FILLED * 16 * tiles &&
    largest <= traits.maxBinding
  );
}

/** What it needs, for people. */
export const WINOGRAD_NEEDED =
  `to be 3×3 with stride and padding 1, from ${LEAST_CHANNELS} channels on in multiples of 4, on ${LEAST_TILES} or more ` +
  "well filled tiles of 4×4 pixels, and a device with subgroups of 8 lanes";

/** y = x ⋆ weight; inputs x, weight. */
export const winogradForward = (sizes: ConvSizes): KernelPlan => winograd(sizes, sizes.C, sizes.O, 0);

/** Gradient for x: dy ⋆ weight turned by half and with its channels swapped; inputs dy, weight. */
export const winogradInputGrad = (sizes: ConvSizes): KernelPlan => winograd(sizes, sizes.O, sizes.C, 1);

function winograd(sizes: ConvSizes, K: number, N: number, flip: 0 | 1): KernelPlan {
  const { B, C, O, H, W } = sizes;
  const { tiles, width } = tilesOf(sizes);
  const isPadded = width !== W;
  const images = paddedRows(0, "temp 3", B * K * H, W);
  const results: Bound = isPadded ? "temp 4" : "output";
  const weights = { count: O * C, channels: C, stride: (O * C) / 4 };
  const { passes: products, temps: sums } = multiplySubgroup(
    {
      M: tiles,
      K,
      N,
      transA: false,
      transB: !flip,
      batch: [{ size: PLACES, a: tiles * K, b: O * C }],
      terms: MOST_TERMS,
    },
    { a: "temp 0", b: "temp 1", c: "temp 2", temps: isPadded ? 5 : 3 },
  );
  const count = tiles * N;
  const output: Pass = {
    kernel: "winogradOutput",
    dims: { COUNT: count, O: N, H, W4: width / 4, TH: Math.ceil(H / 4) },
    workgroups: grid(Math.ceil(count / 64)),
    bind: ["temp 2", results],
  };
  return {
    passes: [
      ...images.passes,
      inputPass(sizes, K, { ...weights, flip, bind: [images.bound, 1, "temp 0", "temp 1"] }),
      ...products,
      output,
      ...(isPadded ? [cutRows(results, B * N * H, W)] : []),
    ],
    temps: [
      PLACES * tiles * K,
      PLACES * O * C,
      PLACES * tiles * N,
      ...(isPadded ? [B * K * H * width, B * N * H * width] : []),
      ...sums,
    ],
  };
}

/** Gradient for weight; inputs x, dy. */
export function winogradWeightGrad(sizes: ConvSizes): KernelPlan {
  const { B, C, O, H, W } = sizes;
  const { tiles, width } = tilesOf(sizes);
  const images = paddedRows(0, "temp 3", B * C * H, W);
  const gradients = paddedRows(1, "temp 4", B * O * H, W);
  const { passes: products } = multiplySubgroup(
    { M: O, K: tiles, N: C, transA: true, transB: false, batch: [{ size: PLACES, a: tiles * O, b: tiles * C }] },
    { a: "temp 1", b: "temp 0", c: "temp 2", temps: 5 },
  );
  const count = O * C;
  const output: Pass = {
    kernel: "winogradWeightGrad",
    dims: { COUNT: count },
    workgroups: grid(Math.ceil(count / 64)),
    bind: ["temp 2", "output"],
  };
  const spread = { count: tiles * O, channels: O, stride: (tiles * O) / 4 };
  return {
    passes: [
      ...images.passes,
      ...gradients.passes,
      inputPass(sizes, C, {
        ...spread,
        gradients: true,
        flip: 0,
        bind: [images.bound, gradients.bound, "temp 0", "temp 1"],
      }),
      ...products,
      output,
    ],
    temps: [
      PLACES * tiles * C,
      PLACES * tiles * O,
      PLACES * O * C,
      ...(width === W ? [] : [B * C * H * width, B * O * H * width]),
    ],
  };
}

/** Tiles of all images together, and the width of their rows in pixels. */
function tilesOf({ B, H, W }: ConvSizes): { tiles: number; width: number } {
  const width = roundUp(W, 4);
  return { tiles: (B * roundUp(H, 4) * width) / 16, width };
}

/** The second operand: weights or gradients. */
interface Second {
  /** Invocations for it, its channels, and the distance of its matrices by four. */
  readonly count: number;
  readonly channels: number;
  readonly stride: number;
  readonly gradients?: true;
  readonly flip: 0 | 1;
  readonly bind: readonly Bound[];
}

/** The pass that takes images of C channels, and weights or gradients, to the 36 places. */
function inputPass(sizes: ConvSizes, C: number, second: Second): Pass {
  const { B, H } = sizes;
  const { tiles, width } = tilesOf(sizes);
  const TH = Math.ceil(H / 4);
  const count = B * TH * C;
  const groups = Math.ceil(count / 64);
  return {
    kernel: "winogradInput",
    constants: { GRADIENTS: Number(second.gradients ?? false) },
    dims: {
      GROUPS: groups,
      COUNT: count,
      COUNT_U: second.count,
      C,
      C_U: second.channels,
      H,
      W4: width / 4,
      TH,
      STRIDE: (tiles * C) / 4,
      STRIDE_U: second.stride,
      FLIP: second.flip,
    },
    workgroups: grid(groups + Math.ceil(second.count / 64)),
    bind: second.bind,
  };
}

const single = { size: 1, stride: 0 };

/** Rows of W pixels as they are, or where W is no multiple of four, copied with zeros behind them. */
function paddedRows(from: Bound, to: Bound, rows: number, W: number): { bound: Bound; passes: Pass[] } {
  if (W % 4 === 0) return { bound: from, passes: [] };
  const width = roundUp(W, 4);
  const copy = repack(from, to, {
    axes: [{ size: rows, stride: W }, single, single, { size: width, stride: 1, limit: W }],
  });
  return { bound: to, passes: [copy] };
}

/** The copy of such rows without the zeros. */
const cutRows = (from: Bound, rows: number, W: number): Pass =>
  repack(from, "output", {
    axes: [{ size: rows, stride: roundUp(W, 4) }, single, single, { size: W, stride: 1 }],
  });
