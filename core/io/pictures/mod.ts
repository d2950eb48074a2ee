export { decodePicture } from "./decodePicture.ts";
export { type Framing, framed, takenOf } from "./framing.ts";
export { openPictureTask } from "./openPictureTask.ts";
export {
  type NoPicture,
  PICTURE_HEADER_BYTES,
  type PictureFormat,
  type PictureHeader,
  pictureFault,
  pictureHeader,
} from "./pictureHeader.ts";
export type { PictureFiles, PicturePixels } from "./pictureTask.ts";
