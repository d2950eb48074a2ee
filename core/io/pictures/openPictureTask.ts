import type { Portable } from "../../interfaces/offload.ts";
import { loadCodecs } from "./codecs.ts";
import type { PictureFormat } from "./pictureHeader.ts";
import type { PictureFiles, PicturePixels } from "./pictureTask.ts";

/** The task that decodes pictures of these formats, here or in a worker. Decoder and codecs are loaded when it is opened. */
export async function openPictureTask(
  formats: Iterable<PictureFormat>,
): Promise<Portable<PictureFiles, PicturePixels>> {
  const { portablePictures } = await import("./portablePictures.ts");
  return portablePictures(await loadCodecs(formats));
}
