import { failure } from "../../../core/errors.ts";
import type { Colour, Picture } from "./picture.ts";
import { cell, drawText } from "./pixelFont.ts";

/** Points drawn in one colour. */
export interface ScatterLayer {
  /** Points [N, 2] as x0, y0, x1, y1, … */
  readonly points: ArrayLike<number>;
  readonly colour: Colour;
  /** Opacity of one dot, 0…1. Default 0.4, so that density shows. */
  readonly opacity?: number;
}

/** One square plot; layers are drawn in order. */
export interface ScatterPanel {
  readonly title?: string;
  readonly layers: readonly ScatterLayer[];
}

/** Size of the picture in pixels and of the plane it shows. */
export interface ScatterOptions {
  /** Width and height of the picture. Default 300 per panel x 300. */
  readonly width?: number;
  readonly height?: number;
  /** The interval both axes show at least; the longer side of a panel shows more. Default [-1.6, 1.6]. */
  readonly range?: readonly [low: number, high: number];
  /** Radius of a dot, in pixels. Default 1.5. */
  readonly radius?: number;
}

const frame: Colour = [190, 190, 190];
const axis: Colour = [228, 228, 228];
const ink: Colour = [60, 60, 60];
const warning: Colour = [200, 30, 30];
const gap = 8; // pixels around a panel
const titleHeight = 22;

/**
 * 2-D point sets → one RGB picture with the panels side by side on white: antialiased dots, a frame, the two axes through
 * zero, one scale for x and y. Points that fall outside the panel or are not finite are not drawn but counted in red at the
 * bottom of their panel, so that a diverged set can't look like a tidy one. Throws E_SHAPE or E_OPTION.
 */
export function scatter(panels: readonly ScatterPanel[], options: ScatterOptions = {}): Picture {
  const { width = 300 * panels.length, height = 300, range = [-1.6, 1.6], radius = 1.5 } = options;
  check(panels, width, height, range, radius);
  const canvas = new Canvas(width, height);
  // Titles of one size: the larger where all of them fit.
  const room = width / panels.length - 2 * gap;
  const size = panels.every(({ title = "" }) => 2 * cell.width * title.length <= room) ? 2 : 1;
  panels.forEach((panel, index) => {
    const left = Math.round((width * index) / panels.length) + gap;
    const right = Math.round((width * (index + 1)) / panels.length) - gap;
    const top = panels.some(({ title }) => title) ? titleHeight : gap;
    drawPanel(canvas, panel, { left, top, right, bottom: height - gap }, { range, radius, size });
  });
  return { width, height, channels: 3, data: canvas.data };
}

/** Edges in pixels; the panel covers left ≤ x < right, top ≤ y < bottom. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

function drawPanel(
  canvas: Canvas,
  { title, layers }: ScatterPanel,
  box: Box,
  {
    range: [low, high],
    radius,
    size,
  }: { readonly range: readonly [number, number]; readonly radius: number; readonly size: 1 | 2 },
): void {
  const scale = Math.min(box.right - box.left, box.bottom - box.top) / (high - low);
  const middle = (low + high) / 2;
  const toX = (x: number) => (box.left + box.right) / 2 + (x - middle) * scale;
  const toY = (y: number) => (box.top + box.bottom) / 2 - (y - middle) * scale;
  canvas.line(box.left, Math.floor(toY(0)), box.right, Math.floor(toY(0)) + 1, axis, box);
  canvas.line(Math.floor(toX(0)), box.top, Math.floor(toX(0)) + 1, box.bottom, axis, box);
  let missing = 0;
  for (const { points, colour, opacity = 0.4 } of layers)
    for (let i = 0; i < points.length; i += 2) {
      const x = toX(points[i]);
      const y = toY(points[i + 1]);
      // Written so that NaN fails it.
      const inside = x >= box.left && x < box.right && y >= box.top && y < box.bottom;
      if (inside) canvas.disc(x, y, radius, colour, opacity, box);
      else missing++;
    }
  canvas.line(box.left, box.top, box.right, box.top + 1, frame, box);
  canvas.line(box.left, box.bottom - 1, box.right, box.bottom, frame, box);
  canvas.line(box.left, box.top, box.left + 1, box.bottom, frame, box);
  canvas.line(box.right - 1, box.top, box.right, box.bottom, frame, box);
  if (title) canvas.text(title, [box.left, box.right], size === 2 ? 4 : 4 + cell.height, ink, size);
  if (missing) canvas.text(`${missing} outside`, [box.left + 4, box.right], box.bottom - 18, warning);
}

/** White RGB pixels and the few shapes a scatter plot needs. */
class Canvas {
  readonly #width: number;
  readonly #height: number;
  readonly data: Uint8Array;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.data = new Uint8Array(width * height * 3).fill(255);
  }

  /** Mixes `colour` into pixel (x, y) with weight `alpha` in [0, 1]. */
  blend(x: number, y: number, colour: Colour, alpha: number): void {
    const at = (y * this.#width + x) * 3;
    for (let c = 0; c < 3; c++) this.data[at + c] = Math.round(this.data[at + c] * (1 - alpha) + colour[c] * alpha);
  }

  /** Fills left ≤ x < right, top ≤ y < bottom where it lies within `clip`. */
  line(left: number, top: number, right: number, bottom: number, colour: Colour, clip: Box): void {
    for (let y = Math.max(top, clip.top); y < Math.min(bottom, clip.bottom); y++)
      for (let x = Math.max(left, clip.left); x < Math.min(right, clip.right); x++) this.blend(x, y, colour, 1);
  }

  /** A disc around the real-valued point (x, y); its edge is one pixel of falling coverage. */
  disc(x: number, y: number, radius: number, colour: Colour, opacity: number, clip: Box): void {
    const reach = radius + 0.5;
    for (let py = Math.max(clip.top, Math.floor(y - reach)); py < Math.min(clip.bottom, y + reach); py++)
      for (let px = Math.max(clip.left, Math.floor(x - reach)); px < Math.min(clip.right, x + reach); px++) {
        const coverage = reach - Math.hypot(px + 0.5 - x, py + 0.5 - y);
        if (coverage > 0) this.blend(px, py, colour, opacity * Math.min(1, coverage));
      }
  }

  /** Text at once or twice the font's size, cut at the right. */
  text(text: string, [left, right]: readonly [number, number], top: number, colour: Colour, size: 1 | 2 = 2): void {
    drawText(text.slice(0, Math.floor((right - left) / (size * cell.width))), (x, y) => {
      for (let dy = 0; dy < size; dy++)
        for (let dx = 0; dx < size; dx++)
          if (top + size * y + dy < this.#height) this.blend(left + size * x + dx, top + size * y + dy, colour, 1);
    });
  }
}

function check(
  panels: readonly ScatterPanel[],
  width: number,
  height: number,
  [low, high]: readonly [number, number],
  radius: number,
): void {
  const refuse = (why: string) => failure("E_OPTION", `Cannot draw a scatter plot: ${why}`);
  if (panels.length === 0) throw refuse("there are 0 panels, should be at least one");
  const least = 64;
  if (!Number.isInteger(width) || width < least * panels.length || !Number.isInteger(height) || height < least)
    throw refuse(`the size is ${width} x ${height}, should be at least ${least} x ${least} per panel, in whole pixels`);
  if (!(high > low && Number.isFinite(high - low)))
    throw refuse(`range is [${low}, ${high}], should be finite and rising`);
  if (!(radius > 0 && radius <= 100)) throw refuse(`radius is ${radius}, should be above 0 and at most 100`);
  for (const { layers, title } of panels)
    for (const { points } of layers)
      if (points.length % 2 !== 0)
        throw failure(
          "E_SHAPE",
          `Cannot draw the points of panel "${title ?? ""}": there are ${points.length} values, should be pairs [N, 2]`,
        );
}
