import { failure } from "../../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../../core/tensor/mod.ts";
import { imageGrid } from "./drawing/imageGrid.ts";
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
/** Pictures of small images are enlarged to about this many pixels per side. */
const SIDE = 48;

/**
 * Sets of samples, each of `shape`, as one picture. Points in the plane: scatter plots side by side, the data (first of
 * several) grey. Images: a grid of the first `count` of the last set; of latents, which have more channels than a picture,
 * the first three as colours. Throws E_SHAPE for anything else.
 */
export function samplePicture(sheets: readonly SampleSheet[], shape: Shape, count: number): Picture {
  if (shape.length === 1 && shape[0] === 2) {
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
  if (shape.length !== 3)
    throw failure("E_SHAPE", `Cannot draw samples ${formatShape(shape)}: expected points [2] or images [C, H, W]`);
  const { x } = sheets[sheets.length - 1];
  const size = sizeOf(shape);
  const N = Math.min(count, x.length / size);
  const [C, H, W] = shape;
  const shown = C < 3 ? 1 : 3;
  const pixels = new Float32Array(N * shown * H * W);
  for (let n = 0; n < N; n++) pixels.set(x.slice(n * size, n * size + shown * H * W), n * shown * H * W);
  return imageGrid(pixels, [N, shown, H, W], {
    columns: Math.min(N, 10),
    scale: Math.max(1, Math.round(SIDE / shape[2])),
  });
}
