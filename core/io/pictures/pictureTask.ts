/** What is done with picture files on another thread. */
import type { Portable } from "../../interfaces/offload.ts";
import type { Picture } from "../../pixels/picture.ts";
import { type Framing, framed } from "./framing.ts";
import { type Codecs, PictureDecoder } from "./pictureDecoder.ts";

/** Picture files, and what is made of them. */
export interface PictureFiles {
  readonly files: readonly Uint8Array[];
  readonly framing: Framing;
  /** Of every picture, once it is framed. C is 1 for grey and 3 for RGB; what has other channels is converted. */
  readonly shape: readonly [C: number, H: number, W: number];
  /** Which of them are mirrored, left to right; none without. */
  readonly mirrored?: readonly boolean[];
}

/** Pixels of picture files as networks see them. */
export interface PicturePixels {
  /** [B, C, H, W] in [-1, 1], u8/127.5 − 1; of no use where a file is broken. */
  readonly x: Float32Array;
  /** The first file that cannot be used; -1 when all can. */
  readonly broken: number;
  /** What is wrong with it. */
  readonly fault: string;
}

/** Decodes files, frames and converts them. */
export function pictureTask(codecs: Codecs): Portable<PictureFiles, PicturePixels> {
  const decoder = new PictureDecoder(codecs);
  return async ({ files, framing, shape, mirrored }) => {
    const [C, H, W] = shape;
    const x = new Float32Array(files.length * C * H * W);
    for (const [n, bytes] of files.entries()) {
      const picture = await decoder.decode(bytes);
      if ("fault" in picture) return { x, broken: n, fault: picture.fault };
      const part = framed(inChannels(picture, C), framing);
      if (part?.height !== H || part.width !== W)
        return { x, broken: n, fault: `it is ${picture.width} x ${picture.height}, should become ${W} x ${H}` };
      place(part, x.subarray(n * C * H * W), mirrored?.[n] ?? false);
    }
    return { x, broken: -1, fault: "" };
  };
}

/** A picture with 1 or 3 channels; grey is ITU-R 601 luma as Pillow rounds it: L = (19595 R + 38470 G + 7471 B + 2¹⁵) / 2¹⁶. */
function inChannels(picture: Picture<Uint8Array>, channels: number): Picture<Uint8Array> {
  const { data } = picture;
  if (picture.channels === channels) return picture;
  const pixels = picture.width * picture.height;
  const out = new Uint8Array(pixels * channels);
  if (channels === 1)
    for (let i = 0; i < pixels; i++)
      out[i] = (19595 * data[3 * i] + 38470 * data[3 * i + 1] + 7471 * data[3 * i + 2] + 32768) >> 16;
  else for (let i = 0; i < out.length; i++) out[i] = data[Math.floor(i / 3)];
  return { ...picture, channels, data: out };
}

/** Channel after channel, in [-1, 1]. */
function place({ width, height, channels, data }: Picture<Uint8Array>, x: Float32Array, isMirrored: boolean): void {
  let to = 0;
  for (let c = 0; c < channels; c++)
    for (let y = 0; y < height; y++) {
      const row = y * width * channels + c;
      if (isMirrored) for (let i = width - 1; i >= 0; i--) x[to++] = data[row + i * channels] / 127.5 - 1;
      else for (let i = 0; i < width; i++) x[to++] = data[row + i * channels] / 127.5 - 1;
    }
}
