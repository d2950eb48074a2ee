import { dirname } from "node:path";
import { files } from "../../../backends/host/files.ts";
import { offloading } from "../../../backends/host/offload.ts";
import { failure } from "../../../core/errors.ts";
import type { DataFolder, Dataset, SampleSet } from "../../../core/interfaces/mod.ts";
import { fileBytes, openNpz } from "../../../core/io/mod.ts";
import type { Registry } from "../../../core/plugin/mod.ts";
import type { Use } from "../../../core/train/config/config.ts";
import { runFolder } from "../../../core/train/files/runFolder.ts";
import { statOf } from "../statOf.ts";

/** Where images lie: the plugin that reads them, and the folder that it is given. */
export interface ImagesAt {
  readonly kind: "images";
  readonly dataset: Use;
  readonly folder: DataFolder;
}

/** What a path on the command line means. */
export type Meaning = ImagesAt | { readonly kind: "weights" } | { readonly kind: "statistics" };

/**
 * What lies at a path: a run or its weights, published statistics, or images, told by their content; a dataset's name means that
 * dataset in the folder `data`.
 * @throws E_FILE when nothing is there, E_DATA when it is nothing that can be judged
 */
export async function meaningOf(path: string, registry: Registry, data?: string): Promise<Meaning> {
  const found = statOf(path);
  if (!found) {
    if (registry.has("dataset", path)) return images({ use: path }, data);
    throw failure("E_FILE", `Cannot evaluate ${path}: there is no such file or folder, and no dataset of that name`);
  }
  if (found.isDirectory()) return meaningOfFolder(path);
  if (path.endsWith(".safetensors")) return { kind: "weights" };
  if (!path.endsWith(".npz"))
    throw failure("E_DATA", `Cannot evaluate ${path}: it is no folder, .npz or .safetensors file`, {
      fix: "name a run, weights, a folder of pictures (PNG, JPEG, WebP), or an .npz archive",
    });
  const names = Object.keys(await openNpz(await fileBytes(files, path)));
  if (names.includes("mu") && names.includes("sigma")) return { kind: "statistics" };
  return images({ use: "npz", file: path }, dirname(path));
}

/** The same of a reference: with a folder for it, the name of a dataset means the dataset, even where a folder has its name. */
export const referenceAt = async (path: string, registry: Registry, data?: string): Promise<Meaning> =>
  data !== undefined && registry.has("dataset", path) ? images({ use: path }, data) : meaningOf(path, registry, data);

async function meaningOfFolder(path: string): Promise<Meaning> {
  if (await runFolder(files, path).holdsRun()) return { kind: "weights" };
  const names = await files.list(path);
  const archives = names.filter((name) => name.endsWith(".npz"));
  if (archives.length === 1) return images({ use: "npz", file: files.join(path, archives[0]) }, path);
  return images({ use: names.some((name) => name.endsWith(".safetensors")) ? "images" : "pictures" }, path);
}

const images = (dataset: Use, path: string | undefined): ImagesAt => ({
  kind: "images",
  dataset,
  folder: { files, path, offload: offloading() },
});

/** Samples that are read together. */
const PORTION = 200;

/** The first `count` samples of a data set, in portions; `tell` hears how many are done. */
export async function* portionsOf(
  dataset: Dataset,
  count: number,
  tell: (done: number, total: number) => Promise<void>,
): AsyncGenerator<SampleSet> {
  for (let first = 0; first < count; first += PORTION) {
    await tell(first, count);
    const rows = Int32Array.from({ length: Math.min(PORTION, count - first) }, (_, i) => first + i);
    const batch = await dataset.batch(rows, () => 0);
    yield { ...batch, shape: [rows.length, ...dataset.shape.sample] };
  }
  await tell(count, count);
}
