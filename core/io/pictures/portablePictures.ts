import type { Portable } from "../../interfaces/offload.ts";
import type { Codecs } from "./pictureDecoder.ts";
import { text } from "./pictureTask.generated.ts";
import { type PictureFiles, type PicturePixels, pictureTask } from "./pictureTask.ts";

/** `pictureTask` as a function whose source, which workers are sent, has all in it that it uses. */
export function portablePictures(codecs: Codecs): Portable<PictureFiles, PicturePixels> {
  const task = pictureTask(codecs);
  const source = () => `(() => { ${text}\nreturn pictures.pictureTask(${sourceOf(codecs)}); })()`;
  return Object.defineProperty(task, "toString", { value: source });
}

const sourceOf = (codecs: Codecs): string =>
  `{ ${Object.entries(codecs)
    .map(([format, { wasm, glue }]) => `${format}: { wasm: ${JSON.stringify(wasm)}, glue: ${glue} }`)
    .join(", ")} }`;
