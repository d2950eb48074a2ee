import { failure } from "../../../core/errors.ts";
import type { PictureSize } from "../../../core/pixels/mod.ts";

/** The largest side of a picture, in pixels. */
const LARGEST = 16_384;

/** Throws E_OPTION unless both sides are multiples of `factor` pixels, and no larger than memory can mean. */
export function checkSides({ width, height }: PictureSize, factor: number): void {
  checkSide("width", width, factor);
  checkSide("height", height, factor);
}

function checkSide(name: string, pixels: number, factor: number): void {
  if (Number.isInteger(pixels) && pixels >= factor && pixels <= LARGEST && pixels % factor === 0) return;
  throw failure(
    "E_OPTION",
    `Cannot draw a picture of ${name} ${pixels}: should be a multiple of ${factor} from ${factor} to ${LARGEST}`,
    {
      fix: `choose another --size, such as one of ${Math.min(Math.max(factor, Math.round(pixels / factor) * factor || factor), LARGEST)}`,
    },
  );
}
