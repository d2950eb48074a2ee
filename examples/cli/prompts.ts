import { failure } from "../../core/errors.ts";
import type { ConditionShape } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { decodeSafetensors, toFloat32 } from "../../core/io/safetensors.ts";
import { allFinite } from "../../core/tensor/allFinite.ts";
import { formatShape } from "../../core/tensor/shape.ts";
import type { DrawRequest } from "../../core/train/mod.ts";

/**
 * The texts that `--prompts` names, and other entries that come from data: for models that are told some, and only for them.
 * @param verb what is to be done, for messages
 * @throws E_USAGE when there are none for a model that is told some, or some for one that is not
 */
export async function promptsFor(
  verb: string,
  file: string | undefined,
  files: FileSystem,
  shape: ConditionShape,
  count: number,
): Promise<Awaited<ReturnType<typeof readPrompts>> | undefined> {
  const told = Object.keys(shape).filter((name) => shape[name].classes === undefined);
  if ((file === undefined) !== (told.length === 0))
    throw failure(
      "E_USAGE",
      `Cannot ${verb}: ${told.length > 0 ? `the model is told ${told.join(", ")}, and there is no --prompts` : "--prompts is given, and the model knows no text"}`,
      { fix: told.length > 0 ? "give embedded texts with --prompts FILE" : "leave --prompts out" },
    );
  return file === undefined ? undefined : readPrompts(file, files, shape, count);
}

/**
 * Conditions from a safetensors file, for `count` samples in turn: a tensor [N, …] for each entry without classes, such as
 * `text` [N, L, D], and where the data stored one the value that stands for none, `unconditional.text` [L, D]. A shard of the
 * dataset `latents` will do.
 * @throws E_DATA for a tensor that is missing or of another shape
 */
export async function readPrompts(
  file: string,
  files: FileSystem,
  shape: ConditionShape,
  count: number,
): Promise<Required<Pick<DrawRequest, "condition" | "empty">>> {
  const { tensors } = decodeSafetensors(await files.read(file), file);
  const entries = Object.entries(shape).filter(([, { classes }]) => classes === undefined);
  const rows = tensors[entries[0]?.[0]]?.shape[0] ?? 0;
  const read = (name: string, wanted: readonly number[]) => {
    const tensor = tensors[name];
    if (!tensor || tensor.shape.join() !== wanted.join() || rows === 0)
      throw failure(
        "E_DATA",
        `Cannot use ${file}: ${name} is ${tensor ? formatShape(tensor.shape) : "missing"}, should be ${formatShape(wanted)} with a row for each prompt`,
      );
    const values = toFloat32(tensor);
    if (!allFinite(values))
      throw failure("E_DATA", `Cannot use ${file}: ${name} holds NaN or infinity, should hold finite numbers`);
    return values;
  };
  const condition: Record<string, Float32Array> = {};
  const empty: Record<string, Float32Array> = {};
  for (const [name, { shape: own, empty: kind }] of entries) {
    const values = read(name, [rows, ...own]);
    const size = values.length / rows;
    condition[name] = Float32Array.from({ length: count * size }, (_, i) => values[i % values.length]);
    if (kind === "stored") empty[name] = read(`unconditional.${name}`, own);
  }
  return { condition, empty };
}
