import type { DataFolder } from "../../../core/interfaces/mod.ts";
import { type CocoOptions, cocoPictures } from "./cocoPictures.ts";
import type { PictureSet } from "./pictureSet.ts";
import { type ShardsOptions, shardPictures } from "./shardPictures.ts";
import { type ZipOptions, zipPictures } from "./zipPictures.ts";

/** How the pictures of a dataset are found before any is read; each reads options of its own. */
const finds = { "edm-zip": zipPictures, webdataset: shardPictures, coco: cocoPictures } as const;

/** The datasets whose pictures stay in archives, or come with captions. */
export type PlacedName = keyof typeof finds;
/** Their options that say which files are meant. */
export type PlacedOptions = ZipOptions & ShardsOptions & CocoOptions;

/** Where the pictures of a dataset lie, and what is said of them. Throws E_DATA. */
export const placedPictures = (use: PlacedName, folder: DataFolder, options: PlacedOptions = {}): Promise<PictureSet> =>
  finds[use](folder, options);
