/** Opens what people hold of a model, whatever the form. */
import { failure } from "../../../core/errors.ts";
import {
  type JsonObject,
  MODEL_PARTS,
  type ModelPart,
  type ModelPartName,
  type ModelParts,
  type SamplerManifest,
} from "../../../core/interfaces/mod.ts";
import { type FileSystem, readJsonObject } from "../../../core/io/mod.ts";
import { architectureOf } from "./architecture.ts";
import { openPartFolder } from "./partFolder.ts";

/** The file that onestep writes beside a distilled generator. */
export const SAMPLER_MANIFEST = "onestep_sampler.json";

/** How a model is opened. */
export interface OpenModelOptions {
  /** Variant of the files that is taken where it is there, such as "fp16"; full precision without. */
  readonly variant?: string;
}

/**
 * The parts of a model: a folder in diffusers' layout. Only names, shapes and settings are read; each tensor is read when it is
 * asked for.
 * @throws E_FILE where nothing is there or it can't be read, E_CHECKPOINT or E_DATA where a file is damaged or no model
 */
export async function openModelParts(
  files: FileSystem,
  path: string,
  { variant }: OpenModelOptions = {},
): Promise<ModelParts> {
  if (!(await files.exists(path)))
    throw failure("E_FILE", `Cannot open the model ${path}: there is no such file or folder`);
  const names = await files.list(path);
  return openDiffusers(files, path, names, variant);
}

async function openDiffusers(
  files: FileSystem,
  path: string,
  names: readonly string[],
  variant: string | undefined,
): Promise<ModelParts> {
  const parts: Partial<Record<ModelPartName, ModelPart>> = {};
  for (const name of MODEL_PARTS)
    if (names.includes(name)) {
      const part = await openPartFolder(files, files.join(path, name), variant);
      if (part) parts[name] = part;
    }
  const json = async (...at: string[]): Promise<JsonObject | undefined> => {
    const file = files.join(path, ...at);
    return (await files.exists(file)) ? readJsonObject(files, file) : undefined;
  };
  const merges = async (folder: string): Promise<string | undefined> => {
    const file = files.join(path, folder, "merges.txt");
    return (await files.exists(file)) ? file : undefined;
  };
  const modelIndex = await json("model_index.json");
  if (!(parts.unet || parts.transformer || parts.vae))
    throw failure("E_CHECKPOINT", `Cannot open the model ${path}: no folder in it has weights of a network`, {
      fix: "give the folder that holds model_index.json, unet/ or transformer/, and vae/",
    });
  return {
    path,
    layout: "diffusers",
    architecture: architectureOf(parts),
    parts,
    scheduler: await json("scheduler", "scheduler_config.json"),
    modelIndex,
    vocabulary: await merges("tokenizer"),
    vocabulary2: await merges("tokenizer_2"),
    sampler: (await json(SAMPLER_MANIFEST)) as SamplerManifest | undefined,
  };
}
