import { failure } from "../../errors.ts";
import type { Picture } from "../../pixels/picture.ts";
import { loadCodecs } from "./codecs.ts";
import { PictureDecoder } from "./pictureDecoder.ts";
import { pictureHeader } from "./pictureHeader.ts";

/** Codecs that are compiled, for all callers on this thread. */
let shared = new PictureDecoder({});

/**
 * The pixels of a PNG, JPEG or WebP file, told by its content, as bytes: one channel for grey, else three. They are those of
 * Pillow's `convert`; see `PictureDecoder`.
 * @param file names the source in errors
 * @throws E_DATA that says what is wrong with the file
 */
export async function decodePicture(bytes: Uint8Array, file: string): Promise<Picture<Uint8Array>> {
  const header = pictureHeader(bytes);
  if ("format" in header && !shared.has(header.format)) shared = new PictureDecoder(await loadCodecs(["JPEG", "WebP"]));
  const decoded = await shared.decode(bytes);
  if ("fault" in decoded)
    throw failure("E_DATA", `Cannot use ${file}: ${decoded.fault}`, { fix: "write or download the file again" });
  return decoded;
}
