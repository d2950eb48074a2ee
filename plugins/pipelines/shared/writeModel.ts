/** Writes models in the forms that people hold: a folder of diffusers, one file with the original names, a network alone. */
import {
  type JsonObject,
  MODEL_PARTS,
  type ModelPart,
  type ModelPartName,
  type ModelParts,
} from "../../../core/interfaces/mod.ts";
import { type FileSystem, type TensorSource, toFloat32, writeSafetensors } from "../../../core/io/mod.ts";
import { allFinite } from "../../../core/tensor/mod.ts";
import { asFloat, FLOATS, type WrittenDtype } from "./floatEntry.ts";
import { NETWORK_KEY } from "./modelParts.ts";
import { SAMPLER_KEY, SAMPLER_MANIFEST } from "./samplerManifest.ts";
import { joinSingleFile } from "./singleFile.ts";

/** How tensors are written. */
export interface WriteOptions {
  /** Type of all floats; as they are without it. */
  readonly dtype?: WrittenDtype;
  /** Told before each tensor is fetched, and after the last. */
  readonly pace?: (done: number, total: number) => void;
  /** Told of each tensor that holds NaN or infinity; it is written as it is. */
  readonly notFinite?: (name: string) => void;
}

/** Folders with what a text is cut into, which are copied as they are. */
const COPIED = ["tokenizer", "tokenizer_2"];
/** Diffusers and transformers open no file without it. */
const PYTORCH = { format: "pt" };

/**
 * A model as a folder in diffusers' layout; tensors go from file to file one at a time. The folder has to be there: who wants
 * none that is half written gives one of another name, and renames it when this has ended.
 * @returns what a complete model has and this one lacks
 * @throws E_FILE, or whatever reading a tensor throws
 */
export async function writeDiffusers(
  files: FileSystem,
  out: string,
  model: ModelParts,
  options: WriteOptions = {},
): Promise<string[]> {
  const parts = MODEL_PARTS.flatMap((name) => (model.parts[name] ? [{ name, part: model.parts[name] }] : []));
  const total = parts.reduce((sum, { part }) => sum + Object.keys(part.tensors).length, 0);
  let before = 0;
  for (const { name, part } of parts) {
    const folder = files.join(out, name);
    await files.makeDir(folder);
    if (part.config) await writeJson(files, files.join(folder, "config.json"), part.config);
    const pace = (done: number) => options.pace?.(before + done, total);
    const file = name.startsWith("text_encoder") || name === "image_encoder" ? "model" : "diffusion_pytorch_model";
    await writeTensors(files, files.join(folder, `${file}.safetensors`), part.tensors, PYTORCH, { ...options, pace });
    before += Object.keys(part.tensors).length;
  }
  const copied = await copyFolders(files, out, model);
  if (model.scheduler) {
    await files.makeDir(files.join(out, "scheduler"));
    await writeJson(files, files.join(out, "scheduler", "scheduler_config.json"), model.scheduler);
  }
  if (model.sampler) await writeJson(files, files.join(out, SAMPLER_MANIFEST), model.sampler);
  const lacking = lackingOf(model, copied);
  // Last, since it is what makes the folder a model.
  await writeJson(files, files.join(out, "model_index.json"), indexOf(model, copied));
  return lacking;
}

/** A model as one file with the original names; see `joinSingleFile`. */
export async function writeSingleFile(
  files: FileSystem,
  out: string,
  model: ModelParts,
  options: WriteOptions = {},
): Promise<void> {
  await writeTensors(files, out, joinSingleFile(model.parts, model.architecture), metadataOf(model), options);
}

/** The weights of one part as a file, by diffusers' names. */
export async function writeNetwork(
  files: FileSystem,
  out: string,
  model: ModelParts,
  name: ModelPartName,
  options: WriteOptions = {},
): Promise<void> {
  await writeTensors(files, out, model.parts[name]!.tensors, metadataOf(model), options);
}

const metadataOf = ({ sampler, network }: ModelParts): Record<string, string> => ({
  ...PYTORCH,
  ...(sampler && { [SAMPLER_KEY]: JSON.stringify(sampler) }),
  ...(network && { [NETWORK_KEY]: JSON.stringify(network) }),
});

/** Tensors as a safetensors file, one in memory at a time. */
export async function writeTensors(
  files: FileSystem,
  out: string,
  tensors: ModelPart["tensors"],
  metadata: Readonly<Record<string, string>>,
  { dtype, pace, notFinite }: WriteOptions = {},
): Promise<void> {
  const entries = Object.entries(tensors).map(([name, entry]) => [name, asFloat(entry, name, dtype)] as const);
  const sources = entries.map(
    ([name, { dtype: own, shape, read }], i): TensorSource => ({
      name,
      dtype: own,
      shape,
      async read() {
        pace?.(i, entries.length);
        const tensor = await read();
        if (notFinite && FLOATS.includes(own) && !allFinite(toFloat32(tensor))) notFinite(name);
        return tensor.data;
      },
    }),
  );
  await writeSafetensors(files, out, sources, metadata);
  pace?.(entries.length, entries.length);
}

const writeJson = (files: FileSystem, path: string, value: object): Promise<void> =>
  files.write(path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));

/** Copies the folders that a model in a folder has beside its weights, without what lies deeper. */
async function copyFolders(files: FileSystem, out: string, { layout, path }: ModelParts): Promise<readonly string[]> {
  const copied: string[] = [];
  for (const name of layout === "diffusers" ? COPIED : []) {
    const from = files.join(path, name);
    if (!(await files.exists(from))) continue;
    await files.makeDir(files.join(out, name));
    for (const file of await files.list(from))
      if (/\.(json|txt|model)$/.test(file))
        await files.write(files.join(out, name, file), await files.read(files.join(from, file)));
    copied.push(name);
  }
  return copied;
}

/** The class of a pipeline, by what it is made of. */
const PIPELINES: Readonly<Record<string, string>> = {
  sd15: "StableDiffusionPipeline",
  sd2: "StableDiffusionPipeline",
  sdxl: "StableDiffusionXLPipeline",
};
/** Parts that each pipeline takes, with the library that they are of. */
const TAKEN: Readonly<Record<string, readonly (readonly [name: string, library: string, usual: string])[]>> = {
  sd15: [
    ["unet", "diffusers", "UNet2DConditionModel"],
    ["vae", "diffusers", "AutoencoderKL"],
    ["text_encoder", "transformers", "CLIPTextModel"],
    ["tokenizer", "transformers", "CLIPTokenizer"],
    ["scheduler", "diffusers", "PNDMScheduler"],
  ],
};
const takenBy = ({ architecture }: ModelParts) => {
  if (architecture === "sdxl")
    return [
      ...TAKEN.sd15,
      ["text_encoder_2", "transformers", "CLIPTextModelWithProjection"],
      ["tokenizer_2", "transformers", "CLIPTokenizer"],
    ] as const;
  return architecture === "sd15" || architecture === "sd2" ? TAKEN.sd15 : [];
};

const has = ({ parts, scheduler }: ModelParts, copied: readonly string[], name: string): boolean =>
  name in parts || copied.includes(name) || (name === "scheduler" && scheduler !== undefined);

const lackingOf = (model: ModelParts, copied: readonly string[]): string[] =>
  takenBy(model).flatMap(([name]) => (has(model, copied, name) ? [] : [name]));

/** `model_index.json`: that of the model with what is there, or one of its architecture. */
function indexOf(model: ModelParts, copied: readonly string[]): JsonObject {
  const { architecture, parts, scheduler, modelIndex } = model;
  const className = (name: string): unknown =>
    name === "scheduler" ? scheduler?._class_name : parts[name as ModelPartName]?.config?._class_name;
  const index: Record<string, unknown> = Object.hasOwn(PIPELINES, architecture)
    ? { _class_name: PIPELINES[architecture] }
    : {};
  for (const [name, library, usual] of takenBy(model)) index[name] = [library, className(name) ?? usual];
  // Copied key by key: "__proto__" would be one like the others.
  for (const [name, value] of Object.entries(modelIndex ?? {}))
    if (name !== "__proto__") index[name] = Array.isArray(value) && !has(model, copied, name) ? [null, null] : value;
  if (scheduler && typeof scheduler._class_name === "string") index.scheduler = ["diffusers", scheduler._class_name];
  if (architecture === "sd15" || architecture === "sd2") {
    index.safety_checker = [null, null];
    index.feature_extractor = [null, null];
    index.requires_safety_checker = false;
  }
  return index;
}
