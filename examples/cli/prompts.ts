import { failure } from "../../core/errors.ts";
import type { Dataset, Description, TextShape } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { decodeSafetensors, toFloat32 } from "../../core/io/safetensors.ts";
import { formatShape } from "../../core/tensor/shape.ts";

/** What samples of a model of text are to show. */
export interface Prompts {
  readonly described: Description;
  readonly unconditional: Dataset["unconditional"];
}

/**
 * Embedded prompts from a safetensors file, for `count` samples in turn: `text` [N, L, D], for SDXL `pooled` [N, P] and
 * `timeIds` [N, 6], and `unconditional.text` where the model was trained with one. A shard of the dataset `latents` will do.
 * @throws E_DATA for a tensor that is missing or of another shape
 */
export async function readPrompts(
  file: string,
  files: FileSystem,
  { tokens, width, pooled, unconditional }: TextShape,
  count: number,
): Promise<Prompts> {
  const { tensors } = decodeSafetensors(await files.read(file), file);
  const rows = tensors.text?.shape[0] ?? 0;
  const read = (name: string, shape: readonly number[]) => {
    const tensor = tensors[name];
    if (!tensor || tensor.shape.join() !== shape.join() || rows === 0)
      throw failure(
        "E_DATA",
        `Cannot use ${file}: ${name} is ${tensor ? formatShape(tensor.shape) : "missing"}, should be ${formatShape(shape)} with a row for each prompt`,
      );
    return toFloat32(tensor);
  };
  const inTurn = (name: string, ...shape: number[]) => {
    const values = read(name, [rows, ...shape]);
    const size = values.length / rows;
    return Float32Array.from({ length: count * size }, (_, i) => values[i % values.length]);
  };
  return {
    described: {
      text: inTurn("text", tokens, width),
      ...(pooled && { pooled: inTurn("pooled", pooled), timeIds: inTurn("timeIds", 6) }),
    },
    unconditional: Object.fromEntries(
      (unconditional ?? []).map((name) => [
        name,
        read(`unconditional.${name}`, name === "text" ? [tokens, width] : [pooled ?? 0]),
      ]),
    ),
  };
}
