import type { PoolOptions } from "./avgPool2d.ts";
import type { AttributeKinds } from "./call.ts";
import type { ConvOptions } from "./conv2d.ts";

/** One number for both axes, or H and W apart. */
export type Pair = number | readonly [number, number];

/** [H, W] of a pair. */
export const pairOf = (value: Pair): readonly [number, number] => (typeof value === "number" ? [value, value] : value);

/** The kinds of `ConvOptions`. */
export const convKinds: AttributeKinds<ConvOptions> = {
  "stride?": "number | [number, number]",
  "padding?": "number | [number, number]",
  "groups?": "number",
  "bias?": "Tensor",
};

/** The kinds of `PoolOptions`. */
export const poolKinds: AttributeKinds<PoolOptions> = {
  kernel: "number | [number, number]",
  "stride?": "number | [number, number]",
  "padding?": "number | [number, number]",
};

/** Attributes of the three convolution ops: the geometry they share. */
export interface ConvAttrs {
  /** Steps of the window along H and W. */
  readonly stride: readonly [number, number];
  /** Zeros added on both sides of H and W. */
  readonly padding: readonly [number, number];
}

/** Visits every (output, weight, input) pixel triple that meets in one image: the definition of convolution. */
export function forEachTap(
  size: { H: number; W: number; R: number; S: number; OH: number; OW: number },
  { stride, padding }: ConvAttrs,
  visit: (outPixel: number, tap: number, inPixel: number) => void,
): void {
  const { H, W, R, S, OH, OW } = size;
  for (let p = 0; p < OH; p++)
    for (let q = 0; q < OW; q++)
      for (let r = 0; r < R; r++)
        for (let s = 0; s < S; s++) {
          const h = p * stride[0] - padding[0] + r;
          const w = q * stride[1] - padding[1] + s;
          if (h >= 0 && h < H && w >= 0 && w < W) visit(p * OW + q, r * S + s, h * W + w);
        }
}
