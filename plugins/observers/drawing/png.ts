/** The one door of `fast-png`: chosen because it is lossless, writes grey and RGB as they are, and runs in browsers. */
import { encode } from "fast-png";
import { failure } from "../../../core/errors.ts";
import type { Picture } from "./picture.ts";

/** A picture → the bytes of a PNG file. Throws E_SHAPE when its data do not fit its size. */
export function encodePng({ width, height, channels, data }: Picture): Uint8Array {
  if (!(width > 0 && height > 0) || data.length !== width * height * channels)
    throw failure(
      "E_SHAPE",
      `Cannot encode a picture of ${width} x ${height} x ${channels}: it has ${data.length} bytes, should have width x height x channels and at least one pixel`,
    );
  return encode({ width, height, channels, data });
}
