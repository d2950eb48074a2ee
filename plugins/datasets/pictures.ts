import { some } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, type Dataset } from "../../core/interfaces/mod.ts";
import { boolean, definePlugin, number, optional } from "../../core/plugin/mod.ts";
import { dataAt } from "./shared/dataPath.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import { divided, holdOutOption } from "./shared/holdOut.ts";
import { PictureBatches } from "./shared/pictureBatches.ts";
import { countsOf, findPictures } from "./shared/pictureFolder.ts";
import { framingOf, framingOptions, told } from "./shared/pictureFraming.ts";
import { readPictures, type StoredPicture } from "./shared/readPictures.ts";
import { chooseRows, labelled } from "./shared/shards.ts";
import { sigmaDataOption } from "./shared/sigmaData.ts";
import { reasonOf } from "./shared/skipped.ts";

/**
 * PNG, JPEG and WebP files from the data folder, told by their content. Subfolders with pictures are classes: by number where
 * all names are numbers, else by text. Samples [C, H, W] in [-1, 1] (u8/127.5 − 1), with the bytes that Pillow's `convert`
 * gives: alpha left out, colour profiles and EXIF orientation not applied. C is 1 where all pictures are grey, else 3.
 * With `size`, the middle of each is resized as Pillow does it; size 64, 64 and Lanczos is what EDM's dataset_tool stores with
 * --transform=center-crop. With `flip`, sample n + i of 2 n is picture i mirrored.
 * Structure and checksums of all files are looked at first; they stay in memory as stored, up to 1 GiB of them, and are decoded
 * batch by batch, in a worker where there is one. Of each class every k-th picture by name is held out, k = 1/holdOut, in the
 * middle of its k; no batch has one.
 */
export const picturesDataset = definePlugin({
  name: "pictures",
  kind: "dataset",
  about: "Pictures of your own (PNG, JPEG, WebP), from the data folder or its subfolders, one per class",
  options: {
    classes: optional(number({ min: 0, integer: true }), {
      about: "number of subfolders, each a class; 0 takes all pictures without classes; without it, what is found",
    }),
    ...framingOptions,
    holdOut: holdOutOption,
    skipBad: boolean({
      default: false,
      about: "leaves out files that are damaged or unlike most others, and names them, instead of ending",
    }),
    sigmaData: sigmaDataOption(0.5),
  },
  async create({ classes: wanted, ...options }, container): Promise<Dataset> {
    const { offload, progress, found, ...folderOfData } = container.get(DATA_FOLDER);
    const { files, path } = dataAt("pictures", folderOfData);
    const framing = framingOf("pictures", options);
    const folder = await findPictures(files, path, wanted);
    const { names, others } = folder;
    const { channels, flip, holdOut, skipBad, sigmaData } = options;
    const { pictures, shape, skipped } = await readPictures(files, folder.pictures, {
      framing,
      channels,
      skipBad,
      progress,
    });
    const [train, held] = divided(pictures, holdOut, shape);
    const classes = names?.length ?? 0;
    const bytesOf = async (picture: StoredPicture) => picture.bytes ?? (await files.read(picture.path));
    const batches = await PictureBatches.open({
      bytesOf,
      formats: pictures.map(({ format }) => format),
      shape,
      framing,
      offload,
      skipBad,
      skipped: (file, fault) => found?.(`${file} is left out: ${fault}`),
    });
    const count = train.length * (flip ? 2 : 1);
    const take = async (rows: ArrayLike<number>, among: readonly StoredPicture[]) => ({
      x: await batches.take(rows, among),
      condition: labelled(classes, () => Int32Array.from(rows, (row) => among[row % among.length].label)),
    });
    async function* contents() {
      for (const picture of [...train, ...held]) yield await bytesOf(picture);
    }
    const parts = [
      ...told(pictures, framing, shape),
      names ? `${classes} ${classes === 1 ? "class" : "classes"}: ${some(named(names), 12)}` : "no classes",
      ...(flip ? ["each is there mirrored as well"] : []),
      ...(held.length > 0 ? [`${held.length} are held out to judge by`] : []),
      ...(others.size > 0 ? [`${countsOf(others)} are passed over, PNG, JPEG and WebP are read`] : []),
      ...(skipped.length > 0 ? [`${skipped.length} are left out: ${some(skipped.map(reasonOf))}`] : []),
    ];
    found?.(parts.join("; "));
    return {
      name: "pictures",
      shape: { sample: shape, condition: classLabel(classes, names), sigmaData },
      size: count,
      choose: (amount, random) => chooseRows("pictures", amount, count, random),
      batch: (which, random) => take(chooseRows("pictures", which, count, random), train),
      ...(held.length > 0 && {
        test: async () => ({ ...(await take(Array.from(held.keys()), held)), count: held.length }),
      }),
      fingerprint: () =>
        fingerprintOf(
          "pictures",
          { shape, framing, flip, labels: train.map(({ label }) => label), held: held.length },
          contents(),
        ),
      dispose: () => batches.dispose(),
    };
  },
});

/** Classes as people are told of them: by name alone where every name is the number of its class. */
const named = (names: readonly string[]): readonly string[] =>
  names.every((name, label) => name === `${label}`) ? names : names.map((name, label) => `${label} ${name}`);
