export { loadCodecs } from "./codecs.ts";
export { decodePicture } from "./decodePicture.ts";
export { type Framing, framed, takenOf } from "./framing.ts";
export { type Codecs, PictureDecoder } from "./pictureDecoder.ts";
export {
  type NoPicture,
  PICTURE_HEADER_BYTES,
  type PictureFormat,
  type PictureHeader,
  pictureFault,
  pictureHeader,
} from "./pictureHeader.ts";
export type { PictureFiles, PicturePixels } from "./pictureTask.ts";
export { portablePictures } from "./portablePictures.ts";
