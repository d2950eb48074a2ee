import { type Picture, type ResizeFilter, resize } from "../../../core/pixels/mod.ts";
import type { GoldenCase } from "../goldenCase.ts";
import type { Job, Kind } from "../kind.ts";
import { ignore } from "../settings.ts";

/** Runs `pil_resize_uint8`: pictures of bytes as Pillow resizes them, to the bit. */
export const pilResizeKind: Kind = {
  name: "pil-resize",
  matches: ({ file }) => file.startsWith("pil_resize"),
  run: runPilResize,
};

async function runPilResize({ reference, check, each }: Job): Promise<void> {
  await each((sub) => {
    const [height, width] = sub.size_out;
    ignore(sub, "size_in");
    const picture = pictureOf(reference, `${sub.id}.in.image`, (name) => Uint8Array.from(reference.f64(name)));
    // A sub-case that does not list its filters has a result of each.
    const prefix = `${sub.id}.out.`;
    const filters: string[] = sub.filters ?? reference.names(prefix).map((name) => name.slice(prefix.length));
    for (const filter of [...filters])
      check(resize(picture, { width, height }, filter as ResizeFilter).data, `${prefix}${filter}`);
  });
}

/** Runs `cleanfid_resize_float`: pictures of floats, clipped after both passes, as clean-FID does. */
export const cleanfidResizeKind: Kind = {
  name: "cleanfid-resize",
  matches: ({ file }) => file.startsWith("cleanfid_resize"),
  run: runCleanfidResize,
};

async function runCleanfidResize({ reference, check, each }: Job): Promise<void> {
  const resized = (id: string, [height, width]: readonly number[], filter: ResizeFilter) => {
    const picture = pictureOf(reference, `${id}.in.image`, (name) => reference.f32(name));
    return resize(picture, { width, height }, filter).data.map((value) => Math.min(255, Math.max(0, value)));
  };
  await each((sub) => check(resized(sub.id, [...sub.size_out], sub.filter), `${sub.id}.out`));
  // One picture at the size of the metric, of which every 37th row and column is kept.
  const size = 299;
  for (const name of reference.names().filter((name) => name.endsWith(".out_subset"))) {
    const all = resized(name.slice(0, name.indexOf(".")), [size, size], "bicubic");
    const kept = Array.from({ length: Math.ceil(size / 37) }, (_, i) => i * 37);
    check(
      kept.flatMap((y) => kept.flatMap((x) => [0, 1, 2].map((c) => all[(y * size + x) * 3 + c]))),
      name,
    );
  }
}

function pictureOf<Data extends Uint8Array | Float32Array>(
  reference: GoldenCase,
  name: string,
  read: (name: string) => Data,
): Picture<Data> {
  const [height, width, channels = 1] = reference.shape(name);
  return { width, height, channels, data: read(name) };
}
