/** Weights that lie in several files, with a JSON index that says which tensor is in which. */
import { failure } from "../errors.ts";
import type { FileSystem } from "./files.ts";
import { readJsonObject } from "./jsonFile.ts";
import { type FileEntry, openTensors } from "./tensorFile.ts";

/** Whether a file's name is that of an index, such as `model.safetensors.index.json` or `….index.fp16.json`. */
export const isShardIndex = (name: string): boolean => /\.index(\.\w+)?\.json$/.test(name);

/**
 * The tensors that an index lists, from the files beside it. The record has no prototype.
 * @param folder of the index and its shards
 * @throws E_CHECKPOINT where the index or a shard is damaged, or a shard or a tensor is missing; E_FILE
 */
export async function openShards(files: FileSystem, folder: string, index: string): Promise<Record<string, FileEntry>> {
  const path = files.join(folder, index);
  const refuse = (why: string, fix = "download the missing or damaged shards again") =>
    failure("E_CHECKPOINT", `Cannot read ${path}: ${why}`, { fix });
  const { weight_map: map } = await readJsonObject(files, path);
  if (typeof map !== "object" || map === null || Array.isArray(map))
    throw refuse('its "weight_map" is not an object, should give the file of each tensor');
  const names = new Map<string, string[]>();
  for (const [name, shard] of Object.entries(map)) {
    // A path would lead out of the folder.
    if (typeof shard !== "string" || /[/\\]|^\.\.?$/.test(shard) || shard === "")
      throw refuse(`tensor "${name}" lies in ${JSON.stringify(shard)}, should lie in a file beside the index`);
    if (name === "__proto__") throw refuse(`it has a tensor "${name}", should have another name for it`);
    names.set(shard, [...(names.get(shard) ?? []), name]);
  }
  const missing: string[] = [];
  for (const shard of names.keys()) if (!(await files.exists(files.join(folder, shard)))) missing.push(shard);
  if (missing.length > 0)
    throw refuse(
      `of its ${names.size} shards ${missing.length === 1 ? "one is" : `${missing.length} are`} missing: ${missing.join(", ")}`,
    );
  const tensors: Record<string, FileEntry> = Object.create(null);
  for (const [shard, wanted] of names) {
    const within = await openTensors(files, files.join(folder, shard));
    for (const name of wanted) {
      if (!(name in within)) throw refuse(`tensor "${name}" is not in ${shard}, should be there`);
      tensors[name] = within[name];
    }
  }
  return tensors;
}
