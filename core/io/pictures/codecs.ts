import type { Codecs } from "./pictureDecoder.ts";
import type { PictureFormat } from "./pictureHeader.ts";

/** The door to the codecs: each is loaded when a picture of its format is there. */
const load = {
  JPEG: () => import("./jpegCodec.generated.ts"),
  WebP: () => import("./webpCodec.generated.ts"),
};

/** The codecs for these formats. */
export async function loadCodecs(formats: Iterable<PictureFormat>): Promise<Codecs> {
  const wanted = new Set(formats);
  const entries = (["JPEG", "WebP"] as const)
    .filter((format) => wanted.has(format))
    .map(async (format) => {
      const { wasm, glue } = await load[format]();
      return [format, { wasm, glue }] as const;
    });
  return Object.fromEntries(await Promise.all(entries));
}
