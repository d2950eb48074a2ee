import { failure } from "../../../core/errors.ts";
import type { Picture } from "./picture.ts";

/** How a grid of samples is laid out. Lengths are in pixels of the picture. */
export interface ImageGridOptions {
  /** Samples in a row; by default the smallest number that makes the grid at least as wide as high. */
  readonly columns?: number;
  /** Pixels between samples and around the grid, at least 0. Default 2. */
  readonly margin?: number;
  /** Side of the square that one sample pixel becomes, an integer from 1. Default 1. */
  readonly scale?: number;
  /** Grey level of the margin, 0…255. Default 255. */
  readonly background?: number;
}

const notFinite = [255, 0, 255]; // magenta, which no clean grey sample holds

/**
 * Samples [N, C, H, W] in [-1, 1] → one picture with the samples row by row. C = 1 gives grey, C = 3 gives RGB.
 * Values outside the range are clamped; a NaN or infinite one turns its pixel magenta (and a grey grid RGB), so that a
 * broken sample is seen and not mistaken for black. Empty cells at the end have the colour of the margin.
 */
export function imageGrid(
  samples: ArrayLike<number>,
  shape: readonly number[],
  options: ImageGridOptions = {},
): Picture {
  checkShape(samples, shape);
  const [N, C, H, W] = shape;
  const { margin = 2, scale = 1, background = 255 } = options;
  const columns = Math.min(N, options.columns ?? Math.ceil(Math.sqrt((N * H) / W)));
  checkLayout({ columns, scale }, 1);
  checkLayout({ margin }, 0);
  const rows = Math.ceil(N / columns);
  const width = columns * (W * scale + margin) + margin;
  const height = rows * (H * scale + margin) + margin;
  const channels = C === 3 || hasNonFinite(samples) ? 3 : 1;
  const data = new Uint8Array(width * height * channels).fill(background);
  const pixel = new Uint8Array(channels);
  for (let n = 0; n < N; n++) {
    const left = margin + (n % columns) * (W * scale + margin);
    const top = margin + Math.floor(n / columns) * (H * scale + margin);
    for (let y = 0; y < H; y++)
      for (let x = 0; x < W; x++) {
        readPixel(pixel, samples, n * C * H * W + y * W + x, C, H * W);
        for (let dy = 0; dy < scale; dy++)
          for (let dx = 0; dx < scale; dx++)
            data.set(pixel, ((top + y * scale + dy) * width + left + x * scale + dx) * channels);
      }
  }
  return { width, height, channels, data };
}

/** [-1, 1] → 0…255, rounded to the nearest level, so that u8 / 127.5 - 1 comes back as the same u8. */
function readPixel(pixel: Uint8Array, samples: ArrayLike<number>, at: number, C: number, plane: number): void {
  for (let c = 0; c < pixel.length; c++) {
    const value = samples[at + Math.min(c, C - 1) * plane];
    if (!Number.isFinite(value)) {
      pixel.set(notFinite);
      return;
    }
    pixel[c] = Math.round(Math.min(1, Math.max(-1, value)) * 127.5 + 127.5);
  }
}

function hasNonFinite(samples: ArrayLike<number>): boolean {
  for (let i = 0; i < samples.length; i++) if (!Number.isFinite(samples[i])) return true;
  return false;
}

function checkShape(samples: ArrayLike<number>, shape: readonly number[]): void {
  const [N, C, H, W] = shape;
  const refuse = (why: string) => failure("E_SHAPE", `Cannot draw a grid of samples [${shape.join(", ")}]: ${why}`);
  if (shape.length !== 4) throw refuse(`there are ${shape.length} dimensions, should be [N, C, H, W]`);
  if (!shape.every((size) => Number.isInteger(size) && size >= 1))
    throw refuse("a size is not positive, every size should be at least 1");
  if (C !== 1 && C !== 3) throw refuse(`there are ${C} channels, should be 1 (grey) or 3 (RGB)`);
  if (samples.length !== N * C * H * W) throw refuse(`there are ${samples.length} values, should be ${N * C * H * W}`);
}

function checkLayout(values: Record<string, number>, least: number): void {
  for (const [name, value] of Object.entries(values))
    if (!Number.isInteger(value) || value < least)
      throw failure("E_OPTION", `Cannot draw a grid: ${name} is ${value}, should be an integer of at least ${least}`);
}
