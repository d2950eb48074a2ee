/** Shards of latents and encoded texts on the disk: what `onestep data encode` writes and the dataset `latents` reads. */
import { failure } from "../../../core/errors.ts";
import { type FileSystem, float32ToFloat16, openSafetensors, writeSafetensors } from "../../../core/io/mod.ts";
import { formatShape } from "../../../core/tensor/mod.ts";
import { ENCODING_KEY } from "../../datasets/shared/shards.ts";

/** Rows of a shard by the names that `latents` knows, as float32. */
export interface EncodedRows {
  readonly [name: string]: { readonly shape: readonly number[]; readonly data: Float32Array };
}

/** What stays in f32: sizes of pictures are beyond the whole numbers of f16. */
const WHOLE = "timeIds";

/** Name of a shard by its place. */
export const shardName = (place: number): string => `shard-${String(place).padStart(6, "0")}.safetensors`;
/** The file with what stands for no text. */
export const EMPTY_FILE = "unconditional.safetensors";

/** Writes rows as f16 in one step. @throws E_DATA for a number that f16 does not have */
export async function writeShard(
  files: FileSystem,
  path: string,
  rows: EncodedRows,
  encoding: string,
): Promise<number> {
  const sources = Object.entries(rows).map(([name, { shape, data }]) => {
    if (name === WHOLE) return { name, shape: [...shape], dtype: "F32" as const, read: () => data };
    const halves = float32ToFloat16(data);
    const at = halves.findIndex((bits) => (bits & 0x7c00) === 0x7c00);
    if (at >= 0)
      throw failure("E_DATA", `Cannot write ${path}: ${name} ${formatShape(shape)} holds ${data[at]}, beyond f16`, {
        fix: "the model makes numbers that are not finite: look at its weights with `onestep inspect`",
      });
    return { name, shape: [...shape], dtype: "F16" as const, read: () => halves };
  });
  sources.sort((a, b) => Number(b.dtype === "F32") - Number(a.dtype === "F32"));
  return writeSafetensors(files, path, sources, { [ENCODING_KEY]: encoding });
}

/** Whether a shard is there as a whole. @throws E_RUN_EXISTS for one of another encoding, E_CHECKPOINT for a damaged file */
export async function isWritten(files: FileSystem, path: string, encoding: string): Promise<boolean> {
  if (!(await files.exists(path))) return false;
  const { metadata } = await openSafetensors(files, path);
  if (metadata[ENCODING_KEY] === encoding) return true;
  throw failure(
    "E_RUN_EXISTS",
    `Cannot encode into the folder of ${path}: the file was made of other pictures, texts or weights, or at another size`,
    { fix: "choose another --out, or remove what is in it" },
  );
}
