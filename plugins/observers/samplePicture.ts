import { failure } from "../../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../../core/tensor/mod.ts";
import { ImageSheet } from "./drawing/imageSheet.ts";
import type { Colour, Picture } from "./drawing/picture.ts";
import { scatter } from "./drawing/scatter.ts";

/** A set of samples with the words above it. */
export interface SampleSheet {
  readonly title: string;
  /** Samples [N, …shape], row-major. */
  readonly x: ArrayLike<number> & { slice(start: number, end: number): ArrayLike<number> };
}

const grey: Colour = [110, 110, 110];
const blue: Colour = [0, 114, 178];
/** Dots in a panel; more only hide each other. */
const DOTS = 4000;

/** Refuses samples that no picture shows. @throws E_SHAPE where they are neither points in the plane nor images */
export function checkDrawable(shape: Shape): void {
  if (!(shape.length === 1 && shape[0] === 2) && shape.length !== 3)
    throw failure("E_SHAPE", `Cannot draw samples ${formatShape(shape)}: expected points [2] or images [C, H, W]`);
}

/**
 * Sets of samples, each of `shape`, as one picture, side by side under their titles. Points in the plane: scatter plots, the data
 * (first of several) grey. Images: grids of the first `count` of each.
 * @param captions what sample i of each set shows, such as its class
 * @throws E_SHAPE for anything else
 */
export function samplePicture(
  sheets: readonly SampleSheet[],
  shape: Shape,
  count: number,
  captions?: (i: number) => string,
): Picture {
  checkDrawable(shape);
  if (shape.length === 1) {
    const panels = sheets.map(({ title, x }, index) => ({
      title,
      layers: [
        {
          points: x.slice(0, 2 * DOTS),
          colour: index === 0 && sheets.length > 1 ? grey : blue,
        },
      ],
    }));
    return scatter(panels);
  }
  const [C, H, W] = shape;
  const most = Math.max(...sheets.map(({ x }) => x.length / sizeOf(shape)));
  const titles = sheets.map(({ title }) => title);
  const sheet = new ImageSheet({ shape: [C, H, W], titles, count: Math.min(count, most), captions });
  for (const [panel, { x }] of sheets.entries()) sheet.place(panel, 0, x);
  return sheet.picture();
}
