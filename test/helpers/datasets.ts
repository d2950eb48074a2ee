import { DATA_FOLDER, DATASET_SOURCE, type DataFolder, type Dataset } from "../../core/interfaces/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../core/io/safetensors.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { compose } from "../plugins/support.ts";
import { memoryFiles } from "./memoryFiles.ts";

/** A file's tensors by name, or its bytes. */
export type FolderContent = Record<string, Record<string, StoredTensor> | Uint8Array | string>;

/** A data folder `data` in memory. */
export const dataFolder = (content: FolderContent): DataFolder => ({
  path: "data",
  files: memoryFiles(
    Object.fromEntries(
      Object.entries(content).map(([name, file]) => [
        `data/${name}`,
        typeof file === "string" || file instanceof Uint8Array ? file : encodeSafetensors(file),
      ]),
    ),
  ),
});

/** The dataset that a plugin makes of a folder. */
export const loadDataset = (plugin: ConfiguredPlugin, folder: DataFolder): Promise<Dataset> =>
  compose({ sample: [], condition: {}, sigmaData: 1 }, plugin)
    .value(DATA_FOLDER, folder, "the test")
    .get(DATASET_SOURCE);

/** The code and message with which it refuses a folder. */
export async function refusedDataset(plugin: ConfiguredPlugin, folder: DataFolder) {
  const error = await loadDataset(plugin, folder).then(
    () => undefined,
    (reason) => reason,
  );
  return { code: error?.code as string, message: error?.message as string, fix: error?.fix as string };
}

export const bytes = (shape: readonly number[], values: Iterable<number>): StoredTensor => ({
  dtype: "U8",
  shape,
  data: Uint8Array.from(values),
});
export const floats = (shape: readonly number[], values: Iterable<number>): StoredTensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(values),
});
export const longs = (values: readonly number[]): StoredTensor => ({
  dtype: "I64",
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});
