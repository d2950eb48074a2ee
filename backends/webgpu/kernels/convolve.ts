import * as ops from "../../../core/ops/mod.ts";
import type { Shape } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import type { DeviceTraits } from "../adapter/traits.ts";
import { grid } from "../grid.ts";
import type { KernelPlan, KernelVariant, Pass } from "../kernel.ts";
import type { MatrixShape, MatrixUse } from "../subgroupMatrices.ts";
import {
  bestTile,
  chunksOf,
  type Multiply,
  multiplyMatrices,
  multiplyRegisters,
  multiplySubgroup,
  multiplyTiles,
} from "./matmul.ts";
import { MATRICES_NEEDED, matricesFor, matrixLanes } from "./matrices.ts";
import { repack, repackPair, roundUp } from "./repack.ts";
import { hasLanesOf8, hasTiles } from "./subgroups.ts";
import { hasWinograd, WINOGRAD_NEEDED } from "./winograd.ts";

/**
 * Sizes of a convolution: x [B, C, H, W] and weight [O, C, R, S] give y [B, O, OH, OW].
 * All three products run on x with its zero padding in it and channels innermost (their number a multiple of four): a
 * kernel then needs no bounds, and reads four channels of a pixel at once, at any tap.
 */
export interface ConvSizes {
  readonly B: number;
  readonly C: number;
  readonly H: number;
  readonly W: number;
  readonly O: number;
  readonly R: number;
  readonly S: number;
  readonly OH: number;
  readonly OW: number;
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
}

/** The sizes of a convolution, or a gradient of one, from the shapes of x, weight and y. */
export function convSizes(node: Tensor, [B, C, H, W]: Shape, [O, , R, S]: Shape, [, , OH, OW]: Shape): ConvSizes {
  const { conv2d, conv2dInputGrad, conv2dWeightGrad } = ops;
  const { stride, padding } = ops.attrsOf<Pick<ConvSizes, "stride" | "padding">>(
    node,
    conv2d.spec,
    conv2dInputGrad.spec,
    conv2dWeightGrad.spec,
  );
  return { B, C, H, W, O, R, S, OH, OW, stride, padding };
}

/** The kernels of a variant, which have one geometry. */
export interface ConvKernels {
  readonly name: string;
  supports(traits: DeviceTraits): boolean;
  /** What the kernels' names end in. */
  readonly suffix: string;
  /** Rows of a tile for so many channels, and groups of four columns. */
  readonly rows: (channels: number) => number;
  readonly quads: number;
  /** Whether the kernels take the number of rows as the constant ROWS. */
  readonly hasRows: boolean;
  /** The subgroup matrices that they run on, and the invocations of a workgroup for them. */
  readonly on?: { readonly matrices: MatrixShape; readonly lanes: number };
  /** Tiles of one workgroup. */
  readonly perGroup: number;
  /** Tiles worth computing at once: a weight's sums are cut into chunks for them, of at least `least` pixels by four. */
  readonly wanted: number;
  readonly least: number;
  /** For convolutions that are matrix products. */
  readonly multiply: Multiply;
  readonly epilogue: boolean;
}

const subgroup8: ConvKernels = {
  name: "subgroup8",
  supports: hasLanesOf8,
  suffix: "Subgroup",
  multiply: multiplySubgroup,
  rows: bestTile,
  hasRows: true,
  quads: 8,
  perGroup: 1,
  wanted: 24,
  least: 32,
  // Stores at 32 places, those at the edge twice.
  epilogue: false,
};

const tiles: ConvKernels = {
  name: "tiles",
  supports: hasTiles,
  suffix: "Tile",
  multiply: multiplyTiles,
  rows: () => 64,
  hasRows: false,
  quads: 16,
  perGroup: 1,
  wanted: 256,
  least: 16,
  epilogue: true,
};

const registers: ConvKernels = {
  name: "registers",
  supports: () => true,
  suffix: "",
  multiply: multiplyRegisters,
  rows: () => 4,
  hasRows: false,
  quads: 2,
  perGroup: 64,
  wanted: 4096,
  least: 16,
  epilogue: true,
};

/** Kernels on subgroup matrices. */
export const onMatrices = (matrices: MatrixShape, lanes: number): ConvKernels => ({
  ...tiles,
  name: "matrices",
  suffix: "Matrix",
  on: { matrices, lanes },
  multiply: multiplyMatrices(matrices, lanes),
});

/** The variants of a product of a convolution. */
export function convVariants(
  sizesOf: (node: Tensor) => ConvSizes,
  plan: (sizes: ConvSizes, kernels: ConvKernels) => KernelPlan,
  winogradPlan: (sizes: ConvSizes) => KernelPlan,
): KernelVariant[] {
  const [first, ...others] = [subgroup8, tiles, registers].map(
    (kernels): KernelVariant => ({
      name: kernels.name,
      supports: (_, traits) => kernels.supports(traits),
      epilogue: kernels.epilogue,
      plan: (node) => plan(sizesOf(node), kernels),
    }),
  );
  const matrices: KernelVariant = {
    name: "matrices",
    needs: MATRICES_NEEDED,
    supports: (node, traits) => !!matricesFor(usesOf(sizesOf(node)), node.inputs, traits),
    epilogue: true,
    plan(node, traits) {
      const sizes = sizesOf(node);
      return plan(sizes, onMatrices(matricesFor(usesOf(sizes), node.inputs, traits)!, matrixLanes(traits)));
    },
  };
  const winograd: KernelVariant = {
    name: "winograd",
    needs: WINOGRAD_NEEDED,
    supports: (node, traits) => hasWinograd(sizesOf(node), traits),
    epilogue: true,
    plan: (node) => winogradPlan(sizesOf(node)),
  };
  return [winograd, first, matrices, ...others];
}

/** The pass of a kernel over `columns` groups of four columns of `channels` rows, in `chunks`. */
function tiledPass(
  kernel: string,
  kernels: ConvKernels,
  [channels, columns, chunks]: readonly [number, number, number],
  rest: Pick<Pass, "dims" | "bind">,
): Pass {
  const { suffix, hasRows, on, perGroup } = kernels;
  const TILES = tilesOf(kernels, channels, columns) * chunks;
  return {
    kernel: kernel + suffix,
    ...(hasRows && { constants: { ROWS: kernels.rows(channels) } }),
    ...(on && { constants: { LANES: on.lanes }, matrices: on.matrices }),
    dims: { ...rest.dims, TILES },
    workgroups: grid(Math.ceil(TILES / perGroup)),
    bind: rest.bind,
  };
}

const tilesOf = ({ rows, quads }: ConvKernels, channels: number, columns: number): number =>
  Math.ceil(channels / rows(channels)) * Math.ceil(columns / quads);

const single = { size: 1, stride: 0 };

/** y = x ⋆ weight; inputs x, weight. */
export function convolveForward(sizes: ConvSizes, kernels: ConvKernels): KernelPlan {
  const { B, C, O, R, S, OH, OW } = sizes;
  if (isPointwise(sizes))
    return kernels.multiply(
      {
        M: O,
        K: C,
        N: OH * OW,
        transA: false,
        transB: false,
        batch: [{ size: B, a: 0, b: C * OH * OW }],
      },
      { a: 1, b: 0, c: "output", temps: 0 },
    );
  const [height, width] = [sizes.H + 2 * sizes.padding[0], sizes.W + 2 * sizes.padding[1]];
  const taps = R * S;
  const depth = roundUp(C, 4);
  const weight = repack(1, "temp 1", {
    axes: [{ size: taps, stride: 1 }, { size: O, stride: C * taps }, single, { size: depth, stride: taps, limit: C }],
  });
  const { pass, size } = paddedImages(sizes);
  return correlate(
    { B, C: depth, O, R, S, OH, OW, height, width, stride: sizes.stride },
    repackPair(pass, weight),
    [size, taps * O * depth],
    kernels,
  );
}

/** Gradient for x: dy, spread by the stride, ⋆ weight turned by half and with its channels swapped; inputs dy, weight. */
export function convolveInputGrad(sizes: ConvSizes, kernels: ConvKernels): KernelPlan {
  const { B, C, H, W, O, R, S, OH, OW, stride, padding } = sizes;
  if (isPointwise(sizes))
    return kernels.multiply(
      {
        M: C,
        K: O,
        N: H * W,
        transA: true,
        transB: false,
        batch: [{ size: B, a: 0, b: O * H * W }],
      },
      { a: 1, b: 0, c: "output", temps: 0 },
    );
  const [height, width] = [H + R - 1, W + S - 1];
  const taps = R * S;
  const depth = roundUp(O, 4);
  const spread = repack(0, "temp 0", {
    axes: [
      { size: B, stride: O * OH * OW },
      { size: height, stride: OW, limit: OH, pad: R - 1 - padding[0], dilation: stride[0] },
      { size: width, stride: 1, limit: OW, pad: S - 1 - padding[1], dilation: stride[1] },
      { size: depth, stride: OH * OW, limit: O },
    ],
  });
  const turned = repack(1, "temp 1", {
    base: taps - 1,
    axes: [{ size: taps, stride: -1 }, { size: C, stride: taps }, single, { size: depth, stride: C * taps, limit: O }],
  });
  return correlate(
    { B, C: depth, O: C, R, S, OH: H, OW: W, height, width, stride: [1, 1] },
    repackPair(spread, turned),
    [B * height * width * depth, taps * C * depth],
    kernels,
  );
}

/** Gradient for weight; inputs x, dy. */
export function convolveWeightGrad(sizes: ConvSizes, kernels: ConvKernels): KernelPlan {
  const { B, C, O, R, S, OH, OW, stride } = sizes;
  const P = OH * OW;
  if (isPointwise(sizes) && !isLarge(sizes)) {
    // dy·xᵀ for each image, and then their sum.
    const each = kernels.multiply(
      { M: O, K: P, N: C, transA: false, transB: true, batch: [{ size: B, a: O * P, b: C * P }] },
      { a: 1, b: 0, c: B > 1 ? "temp 0" : "output", temps: 1 },
    );
    if (B === 1) return { passes: each.passes, temps: [1, ...each.temps] };
    const add = repack("temp 0", "output", {
      axes: [single, { size: O, stride: C }, single, { size: C, stride: 1 }],
      terms: [B, O * C],
    });
    return { passes: [...each.passes, add], temps: [B * O * C, ...each.temps] };
  }
  const images = paddedImages(sizes);
  const taps = R * S;
  const depth = roundUp(C, 4);
  const PQ = Math.ceil(P / 4);
  const passes: Pass[] = [images.pass];
  const temps = [images.size];
  if (P % 4) {
    passes.push(
      repack(1, "temp 1", {
        axes: [{ size: B * O, stride: P }, single, single, { size: PQ * 4, stride: 1, limit: P }],
      }),
    );
    temps.push(B * O * PQ * 4);
  }
  const columns = (taps * depth) / 4;
  const quads = B * PQ;
  const wanted = chunksOf(tilesOf(kernels, O, columns), kernels.wanted, quads, kernels.least);
  const CHUNK = Math.ceil(quads / wanted);
  const chunks = Math.ceil(quads / CHUNK);
  const sums = `temp ${temps.length}` as const;
  const size = O * taps * depth;
  temps.push(chunks * size);
  const dims = {
    O,
    C4: depth / 4,
    S,
    COLUMNS: columns,
    QUADS: quads,
    PQ,
    P,
    OW,
    CHUNK,
    ...imageStrides(sizes.H + 2 * sizes.padding[0], sizes.W + 2 * sizes.padding[1], depth, stride),
  };
  const bind = ["temp 0", P % 4 ? "temp 1" : 1, sums] as const;
  passes.push(
    tiledPass("conv2dWeightGrad", kernels, [O, columns, chunks], { dims, bind }),
    repack(sums, "output", {
      axes: [{ size: O, stride: taps * depth }, { size: C, stride: 1 }, single, { size: taps, stride: depth }],
      terms: [chunks, size],
    }),
  );
  return { passes, temps };
}

/** A 1×1 convolution without stride or padding is a matrix product. */
const isPointwise = ({ R, S, stride, padding }: ConvSizes): boolean =>
  [R, S, ...stride].every((value) => value === 1) && padding.every((value) => value === 0);

/** Whether a weight's gradient for each image by itself would take too much memory. */
const isLarge = ({ B, C, O }: ConvSizes): boolean => B * O * C > 2 ** 22;

/** What the kernels of a convolution and its gradients compute. */
function usesOf(sizes: ConvSizes): MatrixUse[] {
  if (!isPointwise(sizes)) return ["convolutions"];
  return isLarge(sizes) ? ["products", "convolutions"] : ["products"];
}

/** x with zeros around and channels innermost, as temporary 0. */
function paddedImages({ B, C, H, W, padding }: ConvSizes): { pass: Pass; size: number } {
  const [height, width, depth] = [H + 2 * padding[0], W + 2 * padding[1], roundUp(C, 4)];
  const pass = repack(0, "temp 0", {
    axes: [
      { size: B, stride: C * H * W },
      { size: height, stride: W, limit: H, pad: padding[0] },
      { size: width, stride: 1, limit: W, pad: padding[1] },
      { size: depth, stride: H * W, limit: C },
    ],
  });
  return { pass, size: B * height * width * depth };
}

/** Strides of padded images in groups of four channels, and the steps of a window over them. */
const imageStrides = (
  height: number,
  width: number,
  depth: number,
  stride: readonly [number, number],
): Record<string, number> => ({
  X_IMAGE: (height * width * depth) / 4,
  X_ROW: (width * depth) / 4,
  STEP_Y: (stride[0] * width * depth) / 4,
  STEP_X: (stride[1] * depth) / 4,
});

/** Adds the correlation itself: of padded images in temporary 0 with weights [R, S, O, C] in temporary 1. */
function correlate(
  sizes: Pick<ConvSizes, "B" | "C" | "O" | "R" | "S" | "OH" | "OW" | "stride"> & {
    readonly height: number;
    readonly width: number;
  },
  before: Pass,
  temps: readonly number[],
  kernels: ConvKernels,
): KernelPlan {
  const { B, C, O, R, S, OH, OW, height, width, stride } = sizes;
  const P = OH * OW;
  const PQ = Math.ceil(P / 4);
  // Pixels are written in fours: images whose pixels are no multiple of it go through a temporary with longer rows.
  const target = P % 4 ? "temp 2" : "output";
  const dims = {
    O,
    C4: C / 4,
    R,
    S,
    QUADS: B * PQ,
    PQ,
    P,
    OW,
    ...imageStrides(height, width, C, stride),
  };
  const bind = ["temp 0", "temp 1", target] as const;
  const passes = [before, tiledPass("conv2d", kernels, [O, B * PQ, 1], { dims, bind })];
  if (P % 4 === 0) return { passes, temps };
  passes.push(
    repack("temp 2", "output", {
      axes: [{ size: B * O, stride: PQ * 4 }, single, single, { size: P, stride: 1 }],
    }),
  );
  return { passes, temps: [...temps, B * O * PQ * 4] };
}
