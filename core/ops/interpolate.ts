import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { type Pair, pairOf } from "./convolution.ts";
import { resample, type Taps } from "./resample.ts";

/** How sizes change, and what lies between the pixels. */
export interface InterpolateOptions {
  /** Height and width of the result. */
  readonly size: Pair;
  readonly mode: "nearest" | "bilinear" | "bicubic" | "area";
  /** Widens the filter when shrinking, as PIL does. For bilinear and bicubic. */
  readonly antialias?: boolean;
  /** Corner pixels map onto each other's centres, instead of image borders. For bilinear and bicubic. */
  readonly alignCorners?: boolean;
  /** Borders of the image map onto each other; without, the first pixels do, as in TensorFlow 1. True when absent. */
  readonly halfPixels?: boolean;
  /** Output pixels per input pixel, where that is not the quotient of the sizes. For bilinear and bicubic. */
  readonly scale?: Pair;
}

/** An image [..., H, W] at another size, with the conventions of PyTorch's `interpolate`; area is its adaptive average. */
export const interpolate: Composed<[x: Tensor, options: InterpolateOptions]> = defineComposed({
  name: "interpolate",
  parameters: [
    "x: Tensor",
    {
      size: "number | [number, number]",
      mode: '"nearest" | "bilinear" | "bicubic" | "area"',
      "antialias?": "boolean",
      "alignCorners?": "boolean",
      "halfPixels?": "boolean",
      "scale?": "number | [number, number]",
    },
  ],
  build: (x, options) => {
    const size = pairOf(options.size);
    const [H, W] = x.shape.slice(-2);
    const scale = options.scale === undefined ? undefined : pairOf(options.scale);
    const tapsOf = (from: number, to: number, scale?: number): Taps[] => {
      // Input pixels per output pixel, and the input position of the first output pixel's centre.
      const ratio = !options.alignCorners ? (scale ? 1 / scale : from / to) : to > 1 ? (from - 1) / (to - 1) : 0;
      const half = options.alignCorners || options.halfPixels === false ? 0 : 0.5;
      const tap = {
        nearest: (p: number) => [[Math.min(Math.floor((p * from) / to), from - 1), 1]] as Taps,
        area: (p: number) => areaTaps(p, from, to),
        bilinear: (p: number) => linearTaps((p + half) * ratio - half, from),
        bicubic: (p: number) => cubicTaps((p + half) * ratio - half, from),
      }[options.mode];
      const smooth = options.antialias && { bilinear: triangle, bicubic: softCubic }[options.mode as "bicubic"];
      return Array.from({ length: to }, (_, p) =>
        smooth ? smoothTaps((p + half) * ratio, half, Math.max(ratio, 1), from, smooth) : tap(p),
      );
    };
    return resample("interpolate", x, tapsOf(H, size[0], scale?.[0]), tapsOf(W, size[1], scale?.[1]));
  },
});

/** Mean over the input pixels that output pixel p touches. */
function areaTaps(p: number, from: number, to: number): Taps {
  const first = Math.floor((p * from) / to);
  const end = Math.ceil(((p + 1) * from) / to);
  return Array.from({ length: end - first }, (_, i) => [first + i, 1 / (end - first)]);
}

function linearTaps(centre: number, from: number): Taps {
  const at = Math.max(centre, 0);
  const left = Math.min(Math.floor(at), from - 1);
  const fraction = at - left;
  return [
    [left, 1 - fraction],
    [Math.min(left + 1, from - 1), fraction],
  ];
}

function cubicTaps(centre: number, from: number): Taps {
  const left = Math.floor(centre);
  return [-1, 0, 1, 2].map((step) => [
    Math.min(Math.max(left + step, 0), from - 1),
    cubic(centre - left - step, -0.75),
  ]);
}

interface Filter {
  readonly radius: number;
  readonly weight: (distance: number) => number;
}
const triangle: Filter = { radius: 1, weight: (d) => Math.max(0, 1 - Math.abs(d)) };
const softCubic: Filter = { radius: 2, weight: (d) => cubic(d, -0.5) };

/** A filter stretched by `stretch` around a centre, cut off at the border and normalised. */
function smoothTaps(centre: number, half: number, stretch: number, from: number, { radius, weight }: Filter): Taps {
  const reach = radius * stretch;
  const first = Math.max(Math.trunc(centre - reach + 0.5), 0);
  const end = Math.min(Math.trunc(centre + reach + 0.5), from);
  const weights = Array.from({ length: end - first }, (_, i) => weight((first + i - centre + half) / stretch));
  const total = weights.reduce((sum, w) => sum + w, 0);
  return weights.map((w, i) => [first + i, total === 0 ? w : w / total]);
}

/** Keys' cubic convolution kernel (1981); PyTorch takes a = −0.75, and −0.5 when it smooths. */
function cubic(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
