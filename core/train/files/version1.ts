/** Checkpoints of 0.1.0: `manifest.msgpack`, which names a file of tensors beside it. The only file that imports msgpackr. */
import { Packr } from "msgpackr";
import { failure } from "../../errors.ts";
import type { FileSystem } from "../../io/files.ts";
import { openSafetensors } from "../../io/safetensorsFile.ts";
import { isPlainData } from "../../json/parseJson.ts";
import { type Checkpoint, checkedManifest, storedState } from "./checkpoint.ts";

/** The file that makes the tensors beside it a checkpoint. */
export const MANIFEST = "manifest.msgpack";
const MAX_MANIFEST = 16 * 2 ** 20;
/** Plain msgpack: no record extension, so that a hostile file can't name prototypes. */
const packr = new Packr({ useRecords: false });

/** Reads the manifest in a checkpoint folder. Nothing tells whether the tensors are those that were written. */
export async function openVersion1(files: FileSystem, folder: string): Promise<Checkpoint> {
  const path = files.join(folder, MANIFEST);
  const { tensors: name, ...manifest } = checked(unpack(await files.read(path), path), path);
  const file = files.join(folder, name);
  if (!(await files.exists(file)))
    throw failure("E_CHECKPOINT", `Cannot read ${file}: it is not there, ${path} names it`);
  const { tensors } = await openSafetensors(files, file);
  const states = Object.entries(tensors).map(([key, tensor]) => [key, storedState(tensor, file)]);
  return { path, manifest, states: Object.fromEntries(states) };
}

function unpack(bytes: Uint8Array, path: string): unknown {
  if (bytes.length > MAX_MANIFEST)
    throw failure("E_CHECKPOINT", `Cannot read ${path}: ${bytes.length} bytes, expected at most ${MAX_MANIFEST}`);
  try {
    const value: unknown = packr.unpack(bytes);
    // MessagePack also has maps, sets, patterns, dates and whole numbers beyond float64, and no end to its depth.
    if (isPlainData(value)) return value;
  } catch (cause) {
    throw failure("E_CHECKPOINT", `Cannot read ${path}: it is not a manifest`, { cause });
  }
  throw failure("E_CHECKPOINT", `Cannot read ${path}: it is not a manifest`);
}

function checked(value: unknown, path: string) {
  const manifest = checkedManifest(value, path, 1);
  const { tensors } = value as { tensors?: unknown };
  if (typeof tensors !== "string" || !/^[\w-]+\.safetensors$/.test(tensors))
    throw failure("E_CHECKPOINT", `Cannot read ${path}: its fields are not those of a manifest, version 1`);
  return { ...manifest, tensors };
}
