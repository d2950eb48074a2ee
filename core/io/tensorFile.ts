/** Files of named tensors, whichever of the known forms they have: told apart by their first bytes, not by their names. */
import { fileBytes } from "./byteSource.ts";
import type { FileSystem } from "./files.ts";
import { toFloat32 } from "./safetensors.ts";
import { openSafetensors } from "./safetensorsFile.ts";
import type { TorchEntry, TorchFile } from "./torchEntries.ts";
import { mayBeTorch, openTorch } from "./torchFile.ts";

/** A tensor of a file, to be read when it is needed. */
export type FileEntry = TorchEntry;

/** Where the weights of a training's checkpoint stand, beside its optimisers and counters. */
const STATE_DICTS = ["state_dict/", "model_state_dict/", "model/", "ema/", "params/"];

/**
 * The tensors of a safetensors file or a file of `torch.save`, by name. Where all of a PyTorch file's weights are in one dict of a
 * larger one, the names are those within. The record has no prototype.
 * @throws E_FILE, E_CHECKPOINT or E_DATA as the reader of the form does
 */
export async function openTensors(files: FileSystem, path: string): Promise<Record<string, FileEntry>> {
  const source = await fileBytes(files, path);
  const start = await source.read(0, Math.min(4, source.size));
  if (!mayBeTorch(start)) return (await openSafetensors(files, path)).tensors;
  return stateDict(await openTorch(source));
}

/** The tensors of a PyTorch file: those of its state dict, by the names within, where all of its weights are in one. */
export function stateDict({ tensors }: TorchFile): Record<string, FileEntry> {
  const names = Object.keys(tensors);
  const prefix = STATE_DICTS.find((each) => names.some((name) => name.startsWith(each)));
  if (prefix === undefined || names.some((name) => !name.includes("/"))) return tensors;
  const within: Record<string, FileEntry> = Object.create(null);
  for (const name of names) if (name.startsWith(prefix)) within[name.slice(prefix.length)] = tensors[name];
  return within;
}

/** A tensor in memory, as float32. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** The same tensors, read, as float32: those whose names are `wanted`, all of them without. */
export async function readTensors(
  files: FileSystem,
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<Record<string, FloatTensor>> {
  const read: Record<string, FloatTensor> = Object.create(null);
  for (const [name, tensor] of Object.entries(await openTensors(files, path)))
    if (wanted(name)) read[name] = { shape: tensor.shape, data: toFloat32(await tensor.read()) };
  return read;
}
