/** What a picture file is, told by its content, before anything is decoded. */
import { isJpeg, jpegFault, jpegHeader, jpegHeaderFault, MOST_JPEG_PIXELS } from "./jpegHeader.ts";
import { pngFault } from "./pngFault.ts";
import { pngHeader, pngHeaderFault } from "./pngHeader.ts";
import { isWebp, MOST_WEBP_PIXELS, webpFault, webpHeader, webpHeaderFault } from "./webpHeader.ts";

/** Formats that are read. */
export type PictureFormat = "PNG" | "JPEG" | "WebP";

/** What is known of a picture without decoding it. */
export interface PictureHeader {
  readonly format: PictureFormat;
  /** As stored: an orientation that EXIF data ask for is not applied, as Pillow does not. */
  readonly width: number;
  readonly height: number;
  /** 1 for grey, with or without alpha; 3 for everything else. */
  readonly channels: 1 | 3;
}

/** Why a file is not read: what it is, and what it should be. */
export interface NoPicture {
  readonly fault: string;
  /** Whether it begins as a picture does. */
  readonly isPicture?: boolean;
}

/** The most pixels of a picture: where Pillow begins to warn of decompression bombs (`Image.MAX_IMAGE_PIXELS`). */
const MOST_PIXELS = 89_478_485;
/** The most pixels that a file may claim with nothing to show for it: WebP without loss stores one colour in no bits. */
const FREE_PIXELS = 2 ** 22;

/** Bytes from the beginning in which headers are looked for: profiles and thumbnails may come before that of a JPEG file. */
export const PICTURE_HEADER_BYTES = 2 ** 20;

/** What a file is by its content; its name does not matter. `bytes` may be its beginning only, as long as the header is in it. */
export function pictureHeader(bytes: Uint8Array): PictureHeader | NoPicture {
  const png = pngHeader(bytes);
  if (png) {
    const fault = pngHeaderFault(png);
    return held(
      "PNG",
      png,
      png.colour === 0 || png.colour === 4 ? 1 : 3,
      fault && `${fault}, should be a whole PNG file`,
    );
  }
  const jpeg = jpegHeader(bytes);
  if (jpeg) return held("JPEG", jpeg, jpeg.components === 1 ? 1 : 3, jpegHeaderFault(jpeg));
  const webp = webpHeader(bytes);
  if (webp) return held("WebP", webp, 3, webpHeaderFault(webp));
  if (isJpeg(bytes)) return refused("it has no frame header, should be a whole JPEG file");
  if (isWebp(bytes)) return refused("it holds no picture, should be a whole WebP file");
  return { fault: "it is no PNG, JPEG or WebP file, should be one" };
}

const refused = (fault: string): NoPicture => ({ fault, isPicture: true });

function held(
  format: PictureFormat,
  { width, height }: { readonly width: number; readonly height: number },
  channels: 1 | 3,
  fault: string | undefined,
): PictureHeader | NoPicture {
  if (fault) return refused(fault);
  if (width === 0 || height === 0)
    return refused(`its header says ${width} x ${height} pixels, should be a whole ${format} file`);
  if (width * height > MOST_PIXELS)
    return refused(`it claims ${width} x ${height} pixels, should have at most ${MOST_PIXELS}`);
  return { format, width, height, channels };
}

/** What is wrong with a whole file, by its structure and checksums alone: decoding may still find damage. */
export function pictureFault(bytes: Uint8Array): string | undefined {
  const header = pictureHeader(bytes);
  if ("fault" in header) return header.fault;
  const { format, width, height } = header;
  const fault = { PNG: pngFault, JPEG: jpegFault, WebP: webpFault }[format](bytes);
  if (fault) return `${fault}, should be a whole ${format} file`;
  return width * height > mostPixels(format, bytes)
    ? `it claims ${width} x ${height} pixels, which its ${bytes.length} bytes cannot hold`
    : undefined;
}

/** The most pixels that the bytes of a file can stand for. PNG has its own, sharper bound. */
function mostPixels(format: PictureFormat, bytes: Uint8Array): number {
  if (format === "JPEG") return MOST_JPEG_PIXELS * bytes.length;
  if (format === "PNG") return Number.POSITIVE_INFINITY;
  return webpHeader(bytes)?.lossless ? Math.max(FREE_PIXELS, 2 ** 16 * bytes.length) : MOST_WEBP_PIXELS * bytes.length;
}
