import { failure } from "../../errors.ts";
import type { Picture } from "../../pixels/picture.ts";
import { loadCodecs } from "./codecs.ts";
import type { PictureDecoder } from "./pictureDecoder.ts";
import { type PictureFormat, pictureHeader } from "./pictureHeader.ts";

/** What all callers on this thread share: for PNG alone, and with the codecs of the other formats. */
let [plain, whole]: Promise<PictureDecoder>[] = [];

async function open(formats: readonly PictureFormat[]): Promise<PictureDecoder> {
  const { PictureDecoder } = await import("./pictureDecoder.ts");
  return new PictureDecoder(await loadCodecs(formats));
}

/**
 * The pixels of a PNG, JPEG or WebP file, told by its content, as bytes: one channel for grey, else three. They are those of
 * Pillow's `convert`; see `PictureDecoder`.
 * @param file names the source in errors
 * @throws E_DATA that says what is wrong with the file
 */
export async function decodePicture(bytes: Uint8Array, file: string): Promise<Picture<Uint8Array>> {
  const header = pictureHeader(bytes);
  const needsCodec = "format" in header && header.format !== "PNG";
  const decoder = needsCodec ? (whole ??= open(["JPEG", "WebP"])) : (plain ??= open([]));
  const decoded = await (await decoder).decode(bytes);
  if ("fault" in decoded)
    throw failure("E_DATA", `Cannot use ${file}: ${decoded.fault}`, { fix: "write or download the file again" });
  return decoded;
}
