import { failure } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, DATASET_SOURCE, type Dataset, type Offloaded } from "../../core/interfaces/mod.ts";
import { type FileSystem, type PngFiles, type PngPixels, pngHeader, pngPixels } from "../../core/io/mod.ts";
import { definePlugin, number } from "../../core/plugin/mod.ts";
import { chooseRows, labelled } from "./shared/shards.ts";

/** Channels by a PNG file's colour type, of those that are read. */
const CHANNELS: Readonly<Record<number, 1 | 3>> = { 0: 1, 2: 3 };

/** A picture as it is stored. */
interface StoredPicture {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly label: number;
}

/**
 * PNG files of one size, grey or RGB with 8 bits per channel, from the data folder; with classes from its subfolders, in order
 * of names, the first being class 0. Samples [C, H, W] in [-1, 1] (u8/127.5 − 1). Files stay in memory as stored and are
 * decoded batch by batch, in a worker where there is one.
 */
export const picturesDataset = definePlugin({
  name: "pictures",
  kind: "dataset",
  token: DATASET_SOURCE,
  about: "PNG pictures of your own, from the data folder or its subfolders, one per class",
  options: {
    classes: number({
      default: 0,
      min: 0,
      integer: true,
      about: "number of subfolders, each a class; 0 for pictures without, in the folder itself",
    }),
    sigmaData: number({
      default: 0.5,
      above: 0,
      about: "standard deviation of the data as the preconditioning takes it",
    }),
  },
  async create({ classes, sigmaData }, container): Promise<Dataset> {
    const { files, path, offload } = container.get(DATA_FOLDER);
    if (!files || path === undefined)
      throw failure("E_DATA", "Cannot load pictures: there is no data folder, should be given with --data");
    const folders = classes > 0 ? await classFolders(files, path, classes) : [path];
    const pictures: StoredPicture[] = [];
    for (const [label, folder] of folders.entries()) pictures.push(...(await readPictures(files, folder, label)));
    const shape = shapeOf(pictures);
    const decoder: Offloaded<PngFiles, PngPixels> = offload?.(pngPixels) ?? {
      run: pngPixels,
      dispose: async () => {},
    };
    return {
      name: "pictures",
      shape: { sample: shape, condition: classLabel(classes), sigmaData },
      size: pictures.length,
      choose: (count, random) => chooseRows("pictures", count, pictures.length, random),
      async batch(which, random) {
        const rows = chooseRows("pictures", which, pictures.length, random);
        const taken = Array.from(rows, (row) => pictures[row]);
        const { x, broken } = await decoder.run({ files: taken.map(({ bytes }) => bytes), shape });
        if (broken >= 0)
          throw failure(
            "E_DATA",
            `Cannot use ${taken[broken].path}: its picture data are damaged or incomplete, should be a whole PNG file`,
            { fix: "write or download the file again, or take it out of the folder" },
          );
        return {
          x,
          condition: labelled(classes, () => Int32Array.from(taken, ({ label }) => label)),
        };
      },
      dispose: () => decoder.dispose(),
    };
  },
});

/** The subfolders of a folder, in order of names. */
async function classFolders(files: FileSystem, path: string, classes: number): Promise<string[]> {
  const folders: string[] = [];
  for (const name of await files.list(path)) {
    const inside = files.join(path, name);
    // What can't be listed is a file.
    if (await files.list(inside).catch(() => undefined)) folders.push(inside);
  }
  if (folders.length !== classes)
    throw failure(
      "E_DATA",
      `Cannot load pictures from ${path}: it has ${folders.length} subfolders, should have one for each of ${classes} classes`,
    );
  return folders;
}

async function readPictures(files: FileSystem, folder: string, label: number): Promise<StoredPicture[]> {
  const names = (await files.exists(folder)) ? await files.list(folder) : [];
  const pictures: StoredPicture[] = [];
  for (const name of names.filter((each) => each.toLowerCase().endsWith(".png"))) {
    const path = files.join(folder, name);
    const bytes = await files.read(path);
    // A worker is sent all of the buffer that a view belongs to.
    const isWhole = bytes.byteLength === bytes.buffer.byteLength;
    pictures.push({ path, bytes: isWhole ? bytes : bytes.slice(), label });
  }
  if (pictures.length === 0) throw failure("E_DATA", `Cannot load pictures from ${folder}: it should hold PNG files`);
  return pictures;
}

/** The shape of all pictures, which is that of the first. */
function shapeOf(pictures: readonly StoredPicture[]): readonly [number, number, number] {
  const refuse = (path: string, why: string) => failure("E_DATA", `Cannot use ${path}: ${why}`);
  let first: readonly [number, number, number] | undefined;
  for (const { path, bytes } of pictures) {
    const header = pngHeader(bytes);
    if (!header || header.width === 0 || header.height === 0) throw refuse(path, "it is no PNG file, should be one");
    const { width, height, depth, colour, interlaced } = header;
    const channels = CHANNELS[colour];
    if (!channels || depth !== 8 || interlaced)
      throw refuse(
        path,
        `it has colour type ${colour}, ${depth} bits per channel${interlaced ? " and is interlaced" : ""}, should be grey or RGB without alpha, 8 bits, not interlaced`,
      );
    first ??= [channels, height, width];
    if (String([channels, height, width]) !== String(first))
      throw refuse(
        path,
        `it is [${channels}, ${height}, ${width}], should be [${first.join(", ")}] as the pictures before it`,
      );
  }
  return first!;
}
