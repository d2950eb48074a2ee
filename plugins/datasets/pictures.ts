import { failure } from "../../core/errors.ts";
import { classLabel, DATA_FOLDER, type Dataset, type Offloaded } from "../../core/interfaces/mod.ts";
import { type PngFiles, type PngPixels, pngPixels } from "../../core/io/mod.ts";
import { boolean, definePlugin, list, number, optional } from "../../core/plugin/mod.ts";
import { decoded } from "./shared/decodePictures.ts";
import { fingerprintOf } from "./shared/fingerprint.ts";
import { divided } from "./shared/holdOut.ts";
import { countsOf, findPictures } from "./shared/pictureFolder.ts";
import { type Picture, readPictures } from "./shared/readPictures.ts";
import { chooseRows, labelled } from "./shared/shards.ts";
import { reasonOf, some } from "./shared/skipped.ts";

/**
 * PNG files of one size, grey or RGB with 8 bits per channel, from the data folder. Subfolders with pictures are classes: by
 * number where all names are numbers, else by text. Samples [C, H, W] in [-1, 1] (u8/127.5 − 1). Files stay in memory as stored
 * and are decoded batch by batch, in a worker where there is one; the checksums of all are looked at first.
 * Of each class every k-th picture by name is held out, k = 1/holdOut, in the middle of its k; no batch has one.
 */
export const picturesDataset = definePlugin({
  name: "pictures",
  kind: "dataset",
  about: "PNG pictures of your own, from the data folder or its subfolders, one per class",
  options: {
    classes: optional(number({ min: 0, integer: true }), {
      about: "number of subfolders, each a class; 0 takes all pictures without classes; without it, what is found",
    }),
    crop: list(number({ min: 1, integer: true }), {
      default: [],
      about: "height and width of the middle that is taken of each picture; pictures are whole without it",
    }),
    holdOut: number({
      default: 0,
      min: 0,
      max: 0.5,
      about: "share of each class that is not trained on, for metrics to compare with",
    }),
    skipBad: boolean({
      default: false,
      about: "leaves out files that are damaged or unlike most others, and names them, instead of ending",
    }),
    sigmaData: number({
      default: 0.5,
      above: 0,
      about: "standard deviation of the data as the preconditioning takes it",
    }),
  },
  async create({ sigmaData, ...options }, container): Promise<Dataset> {
    const { files, path, offload, progress, found } = container.get(DATA_FOLDER);
    if (!files || path === undefined)
      throw failure("E_DATA", "Cannot load pictures: there is no data folder, should be given with --data");
    const folder = await findPictures(files, path, options.classes);
    const { names, others } = folder;
    const read = await readPictures(files, folder.pictures, { ...options, progress });
    const { shape, skipped } = read;
    const [train, held] = divided(read.pictures, options.holdOut, shape);
    const classes = names?.length ?? 0;
    const decoder: Offloaded<PngFiles, PngPixels> = offload?.(pngPixels) ?? {
      run: pngPixels,
      dispose: async () => {},
    };
    const take = async (taken: readonly Picture[]) => ({
      x: await decoded(decoder, taken, shape),
      condition: labelled(classes, () => Int32Array.from(taken, ({ label }) => label)),
    });
    const [channels, H, W] = shape;
    const parts = [
      `${train.length + held.length} pictures, ${W} x ${H}, ${channels === 1 ? "grey" : "RGB"}`,
      names ? `${classes} ${classes === 1 ? "class" : "classes"}: ${some(named(names), 12)}` : "no classes",
      ...(held.length > 0 ? [`${held.length} are held out to judge by`] : []),
      ...(others.size > 0 ? [`${countsOf(others)} are passed over, PNG alone is read`] : []),
      ...(skipped.length > 0 ? [`${skipped.length} are left out: ${some(skipped.map(reasonOf))}`] : []),
    ];
    found?.(parts.join("; "));
    return {
      name: "pictures",
      shape: { sample: shape, condition: classLabel(classes, names), sigmaData },
      size: train.length,
      choose: (count, random) => chooseRows("pictures", count, train.length, random),
      batch: (which, random) =>
        take(Array.from(chooseRows("pictures", which, train.length, random), (row) => train[row])),
      ...(held.length > 0 && { test: async () => ({ ...(await take(held)), count: held.length }) }),
      fingerprint: () =>
        fingerprintOf(
          "pictures",
          { shape, labels: train.map(({ label }) => label), held: held.length },
          [...train, ...held].map(({ bytes }) => bytes),
        ),
      dispose: () => decoder.dispose(),
    };
  },
});

/** Classes as people are told of them: by name alone where every name is the number of its class. */
const named = (names: readonly string[]): readonly string[] =>
  names.every((name, label) => name === `${label}`) ? names : names.map((name, label) => `${label} ${name}`);
