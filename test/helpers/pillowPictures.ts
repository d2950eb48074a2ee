/** The pictures that test/core/io/pictures/pillow/make.py has made, and what Pillow makes of them. */
import { readdirSync, readFileSync } from "node:fs";
import { bytesOf, openNpz } from "../../core/io/mod.ts";
import type { Picture } from "../../core/pixels/mod.ts";

const FOLDER = "test/core/io/pictures/pillow";

/** A stored file. */
export const pillowFile = (name: string): Uint8Array => new Uint8Array(readFileSync(`${FOLDER}/${name}`));

/** Names of the stored picture files. */
export const pillowNames = (): string[] => readdirSync(FOLDER).filter((name) => /\.(png|jpg|webp)$/.test(name));

/** Pillow's pixels, by name of the file, and of what was made of one. */
export async function pillowPixels(): Promise<Map<string, Picture<Uint8Array>>> {
  const stored = await openNpz(bytesOf(pillowFile("pixels.npz"), "pixels.npz"));
  const entries = Object.entries(stored).map(async ([name, entry]) => {
    const { shape, data } = await entry.read();
    const [height, width, channels] = shape;
    return [name, { width, height, channels, data: data as Uint8Array }] as const;
  });
  return new Map(await Promise.all(entries));
}
