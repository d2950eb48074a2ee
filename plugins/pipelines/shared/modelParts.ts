/** Opens what people hold of a model, whatever the form. */
import { failure } from "../../../core/errors.ts";
import {
  type JsonObject,
  MODEL_PARTS,
  type ModelPart,
  type ModelPartName,
  type ModelParts,
} from "../../../core/interfaces/mod.ts";
import {
  type FileSystem,
  fileBytes,
  mayBeTorch,
  openSafetensors,
  openTorch,
  readJsonObject,
  stateDict,
} from "../../../core/io/mod.ts";
import { openBase } from "../../../core/train/mod.ts";
import { architectureOf } from "./architecture.ts";
import { edmNetwork, parsedNetwork } from "./edmNetwork.ts";
import { mergeLora } from "./mergeLora.ts";
import { type GUIDANCE, networkAlone } from "./networkFile.ts";
import { withConfigs } from "./partConfigs.ts";
import { modernPart, openPartFolder, partOfClass } from "./partFolder.ts";
import { parseManifest, SAMPLER_KEY, SAMPLER_MANIFEST } from "./samplerManifest.ts";
import { usualScheduler } from "./schedulerConfigs.ts";
import { isSingleFile, splitSingleFile } from "./singleFile.ts";
import { type TrainedNetwork, trainedNetwork } from "./trainedNetwork.ts";

/** How a model is opened. */
export interface OpenModelOptions {
  /** Variant of the files that is taken where it is there, such as "fp16"; full precision without. */
  readonly variant?: string;
  /** Which network of DMD2's guidance file is meant; the teacher without it. */
  readonly guidance?: (typeof GUIDANCE)[number];
}

/** Key of what a pickled network of EDM says of itself, once it is a safetensors file. */
export const NETWORK_KEY = "onestep_network";

/**
 * The parts of a model: a folder in diffusers' layout. Only names, shapes and settings are read; each tensor is read when it is
 * asked for.
 * @throws E_FILE where nothing is there or it can't be read, E_CHECKPOINT or E_DATA where a file is damaged or no model
 */
export async function openModelParts(
  files: FileSystem,
  path: string,
  options: OpenModelOptions = {},
): Promise<ModelParts> {
  if (!(await files.exists(path)))
    throw failure("E_FILE", `Cannot open the model ${path}: there is no such file or folder`);
  const names = await files.list(path).catch(() => undefined);
  if (names === undefined) return openModelFile(files, path, options);
  const isModel = names.includes("model_index.json") || MODEL_PARTS.some((part) => names.includes(part));
  return isModel ? openDiffusers(files, path, names, options) : openNetworkFolder(files, path, options);
}

/** One file: all parts, a network that was pickled whole, or the weights of one. */
async function openModelFile(files: FileSystem, path: string, { guidance }: OpenModelOptions): Promise<ModelParts> {
  const source = await fileBytes(files, path);
  const start = await source.read(0, Math.min(4, source.size));
  if (mayBeTorch(start)) {
    const file = await openTorch(source);
    const edm = edmNetwork(file, path);
    if (edm) return { path, layout: "network", ...described({ unet: edm.part }), network: edm.network };
    return modelOf(path, stateDict(file), guidance);
  }
  const opened = await openSafetensors(files, path);
  const trained = await trainedNetwork(opened, path);
  if (trained) return withAdapters(await withWeightsBelow(files, trained, path), path);
  const { tensors, metadata } = opened;
  const model = modelOf(path, tensors, guidance);
  const network = NETWORK_KEY in metadata ? parsedNetwork(metadata[NETWORK_KEY], path) : undefined;
  const sampler = SAMPLER_KEY in metadata ? parseManifest(metadata[SAMPLER_KEY], path) : undefined;
  return { ...model, ...(network && { network }), ...(sampler && { sampler }) };
}

/** Of a file of adapters alone: with the weights that the run wrote beside it. @throws E_CHECKPOINT where they are not there */
async function withWeightsBelow(files: FileSystem, trained: TrainedNetwork, path: string): Promise<TrainedNetwork> {
  const { base } = trained.info;
  if (!base) return trained;
  const below = Object.entries(await openBase(files, path, base));
  const tensors: ModelPart["tensors"] = Object.assign(
    Object.create(null),
    Object.fromEntries(below.map(([name, entry]) => [base.prefix + name, entry])),
    trained.tensors,
  );
  return { ...trained, tensors };
}

/** Weights of a run, with its adapters in them. */
function withAdapters({ tensors, pairs, sampler }: TrainedNetwork, path: string): ModelParts {
  const model = { ...modelOf(path, tensors, undefined), sampler };
  return pairs.length === 0 ? model : mergeLora(model, { from: path, pairs }).model;
}

function modelOf(path: string, tensors: ModelPart["tensors"], guidance: OpenModelOptions["guidance"]): ModelParts {
  if (!isSingleFile(Object.keys(tensors))) {
    const { part, network } = networkAlone(tensors, path, guidance);
    return { path, layout: "network", ...described({ [part]: network }) };
  }
  const parts = splitSingleFile(tensors, path);
  const told = described(parts);
  // Checkpoints of models that predict velocity carry a tensor of this name.
  const velocity = { prediction_type: "v_prediction", rescale_betas_zero_snr: "ztsnr" in tensors };
  const scheduler = usualScheduler(told.architecture, "v_pred" in tensors ? velocity : {});
  return { path, layout: "single-file", ...told, scheduler };
}

/** Parts that came without settings, with those that their shapes tell. */
function described(parts: ModelParts["parts"]): Pick<ModelParts, "architecture" | "parts"> {
  const architecture = architectureOf(parts);
  return { architecture, parts: withConfigs(parts, architecture) };
}

/** A folder with the weights of one network, such as a model's `unet/`, or a step of a training run. */
async function openNetworkFolder(files: FileSystem, path: string, options: OpenModelOptions): Promise<ModelParts> {
  const found = await openPartFolder(files, path, options.variant);
  if (!found)
    throw failure("E_CHECKPOINT", `Cannot open the model ${path}: it has no file of weights, and no folder with one`, {
      fix: "give the folder that holds model_index.json, unet/ and vae/, or a file of weights",
    });
  const known = partOfClass(found.config?._class_name ?? (found.config?.architectures as unknown[] | undefined)?.[0]);
  const alone = known
    ? { part: known, network: modernPart(known, found) }
    : networkAlone(found.tensors, found.from, options.guidance);
  return { path, layout: "network", ...described({ [alone.part]: { ...found, tensors: alone.network.tensors } }) };
}

async function openDiffusers(
  files: FileSystem,
  path: string,
  names: readonly string[],
  { variant }: OpenModelOptions,
): Promise<ModelParts> {
  const parts: Partial<Record<ModelPartName, ModelPart>> = {};
  for (const name of MODEL_PARTS)
    if (names.includes(name)) {
      const part = await openPartFolder(files, files.join(path, name), variant);
      if (part) parts[name] = modernPart(name, part);
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
  const manifest = files.join(path, SAMPLER_MANIFEST);
  const sampler = (await files.exists(manifest))
    ? parseManifest(new TextDecoder().decode(await files.read(manifest)), manifest)
    : undefined;
  if (!(parts.unet || parts.transformer || parts.vae))
    throw failure("E_CHECKPOINT", `Cannot open the model ${path}: no folder in it has weights of a network`, {
      fix: "give the folder that holds model_index.json, unet/ or transformer/, and vae/",
    });
  return {
    path,
    layout: "diffusers",
    ...described(parts),
    scheduler: await json("scheduler", "scheduler_config.json"),
    modelIndex,
    vocabulary: await merges("tokenizer"),
    vocabulary2: await merges("tokenizer_2"),
    ...(sampler && { sampler }),
  };
}
