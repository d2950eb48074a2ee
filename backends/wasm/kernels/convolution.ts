import type { ConvAttrs } from "../../../core/ops/convolution.ts";

/** Sizes of a convolution as the kernels take them. */
export interface ConvGeometry {
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
  /** A 1×1 convolution whose rows need no padding: kernels read its planes where they are. */
  readonly inPlace: boolean;
}

/** Geometry from the shapes of x, weight and y. */
export function convGeometry(
  [B, C, H, W]: readonly number[],
  [O, , R, S]: readonly number[],
  [, , OH, OW]: readonly number[],
  { stride, padding }: ConvAttrs,
): ConvGeometry {
  const pointwise = [R, S, ...stride].every((n) => n === 1) && padding.every((n) => n === 0);
  // A 1×1 convolution does not care about rows: one long row wastes no lanes at the ends of short ones.
  const joined = pointwise && W % 4 !== 0 && H * W <= 4096;
  const sizes = joined ? { H: 1, W: H * W, OH: 1, OW: H * W } : { H, W, OH, OW };
  return { B, C, O, R, S, stride, padding, ...sizes, inPlace: pointwise && sizes.W % 4 === 0 };
}

/** The arguments of every convolution kernel, in order. */
export const sizesOf = (g: ConvGeometry): number[] => [
  g.C,
  g.H,
  g.W,
  g.O,
  g.R,
  g.S,
  g.OH,
  g.OW,
  ...g.stride,
  ...g.padding,
];

/** Elements of a plane. A multiple of the cache's set stride would make the channels of one pixel evict each other. */
export const planeSize = (rows: number, pitch: number): number =>
  (rows * pitch) % 64 === 0 ? rows * pitch + 16 : rows * pitch;

/** Elements of planes that fit the second-level cache beside everything else. */
export const CACHED_PLANES: number = 1 << 17;

/** Rows of the strips that images are cut into: few enough that their planes fit the cache and there is work for all. */
export function stripRows(rows: number, halo: number, images: number, rowElements: number): number {
  const fitting = Math.max(1, Math.floor(CACHED_PLANES / rowElements) - halo);
  const sharing = images >= 8 ? rows : Math.max(4, Math.ceil((rows * images) / 8));
  return evenPart(rows, Math.min(fitting, sharing));
}

/** The smallest part that cuts `whole` into as few parts as `limit` does. */
export const evenPart = (whole: number, limit: number): number =>
  Math.ceil(whole / Math.max(1, Math.ceil(whole / limit))) || 1;

export const roundUp = (size: number, multiple: number): number => Math.ceil(size / multiple) * multiple;

/** Floating-point operations in a nanosecond, for grains only. */
export const FLOPS = 40;

/** Panels that a kernel packs `channels` into, and the channels these hold: `tileRows` of assembly/lib/gemmTile.ts. */
export function panelsOf(channels: number): { readonly count: number; readonly padded: number } {
  let [count, padded] = [0, 0];
  for (; padded < channels; count++) {
    const left = channels - padded;
    padded += left >= 6 && left !== 7 && left !== 8 && left !== 11 ? 6 : 4;
  }
  return { count, padded };
}
