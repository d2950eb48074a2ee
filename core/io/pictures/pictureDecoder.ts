import type { Picture } from "../../pixels/picture.ts";
import {
  type NoPicture,
  type PictureFormat,
  type PictureHeader,
  pictureFault,
  pictureHeader,
} from "./pictureHeader.ts";
import { pngPixels } from "./pngPixels.ts";
import { type Codec, type Decoded, WasmDecoder } from "./wasmDecoder.ts";

/** The codecs that a decoder has; PNG needs none. */
export type Codecs = Partial<Readonly<Record<PictureFormat, Codec>>>;

/** What libjpeg-turbo says of data from which it cannot tell all pixels; it goes on with what it has. */
const JPEG_DAMAGE = /premature end|bad Huffman code|instead of RST|inconsistent progression|bad progressive/i;

/**
 * Decodes pictures to bytes as Pillow's `convert` to "L" (grey) or "RGB" (all else) does: alpha is left out, and neither colour
 * profiles nor orientations of EXIF data are applied. JPEG is decoded by libjpeg-turbo and WebP by libwebp, so their bytes are
 * Pillow's.
 */
export class PictureDecoder {
  readonly #decoders: Partial<Record<PictureFormat, WasmDecoder>> = {};

  constructor(codecs: Codecs) {
    for (const format of ["JPEG", "WebP"] as const) {
      const codec = codecs[format];
      if (codec) this.#decoders[format] = new WasmDecoder(codec);
    }
  }

  /** The pixels of a file, with the channels of its header; or why it has none. */
  async decode(bytes: Uint8Array): Promise<Picture<Uint8Array> | NoPicture> {
    const header = pictureHeader(bytes);
    if ("fault" in header) return header;
    const { format } = header;
    const damaged = (why = "") => ({
      fault: `its picture data are damaged or incomplete${why}, should be a whole ${format} file`,
    });
    const fault = pictureFault(bytes);
    if (fault) return { fault };
    if (format === "PNG") return (await pngPixels(bytes)) ?? damaged();
    const decoder = this.#decoders[format];
    if (!decoder) return { fault: `it is a ${format} file, for which there is no decoder here` };
    const decoded = await (format === "JPEG" ? decoder.decode(bytes, false) : decoder.decode(bytes));
    return checked(header, decoded) ?? damaged(reasonOf(decoded));
  }
}

/** What a decoder said, fit for a message; only of damage. */
function reasonOf({ said }: Decoded): string {
  const last = said.findLast((line) => !line.startsWith("Aborted"));
  const words = last?.replace(/[^\x20-\x7e]/g, "").slice(0, 100);
  return words ? ` (${words})` : "";
}

/** The pixels that the header promised; undefined where the decoder gave others, or found damage. */
function checked(
  { format, width, height, channels }: PictureHeader,
  { pixels, said }: Decoded,
): Picture<Uint8Array> | undefined {
  if (pixels?.width !== width || pixels.height !== height) return undefined;
  if (format === "JPEG" && said.some((line) => JPEG_DAMAGE.test(line))) return undefined;
  const data = new Uint8Array(width * height * channels);
  const from = pixels.data;
  if (channels === 1) for (let i = 0; i < data.length; i++) data[i] = from[4 * i];
  else
    for (let i = 0, at = 0; i < data.length; i += 3, at += 4) {
      data[i] = from[at];
      data[i + 1] = from[at + 1];
      data[i + 2] = from[at + 2];
    }
  return { width, height, channels, data };
}
