/** One part of a model in a folder of its own, as diffusers and transformers write it. */
import type { ModelPart, ModelPartName } from "../../../core/interfaces/mod.ts";
import {
  type FileEntry,
  type FileSystem,
  isShardIndex,
  openShards,
  openTensors,
  readJsonObject,
} from "../../../core/io/mod.ts";
import { modernText } from "./textNames.ts";
import { modernVae } from "./vaeNames.ts";

/** Stems that diffusers and transformers give files of weights. */
const WEIGHTS =
  /^(diffusion_pytorch_model|model|pytorch_model)(\.(?<variant>\w+))?\.(?<form>safetensors|bin)(\.(?<variant2>\w+))?(?<index>\.index(\.(?<variant3>\w+))?\.json)?$/;

/** Variants in the order in which they are taken; others come last. Without a variant is the full precision. */
const VARIANTS = ["", "fp16", "bf16"];

/**
 * The file of weights in a folder, by its name: safetensors before PyTorch's form, full precision before half, one file before
 * shards, which an index stands for. Undefined where there is none.
 * @param variant taken before all others where it is there, such as "fp16"
 */
export function weightsName(names: readonly string[], variant?: string): string | undefined {
  const ranked = names.flatMap((name) => {
    const found = WEIGHTS.exec(name)?.groups;
    if (!found) return [];
    const { form, index, variant: first, variant2, variant3 } = found;
    const given = first ?? variant2 ?? variant3 ?? "";
    // A shard: it is read through its index.
    if (/-\d+-of-\d+/.test(name)) return [];
    const place = VARIANTS.indexOf(given);
    const rank = [
      variant !== undefined && given === variant ? 0 : 1,
      form === "safetensors" ? 0 : 1,
      place < 0 ? VARIANTS.length : place,
      index === undefined ? 0 : 1,
    ];
    return [{ name, rank: rank.reduce((sum, digit) => sum * 10 + digit, 0) }];
  });
  return ranked.sort((a, b) => a.rank - b.rank || (a.name < b.name ? -1 : 1))[0]?.name;
}

/**
 * A part in a folder; undefined where the folder has no weights.
 * @throws E_FILE, E_CHECKPOINT or E_DATA as the reader of its form does
 */
export async function openPartFolder(
  files: FileSystem,
  folder: string,
  variant?: string,
): Promise<ModelPart | undefined> {
  const names = await files.list(folder);
  const name = weightsName(names, variant);
  if (name === undefined) return undefined;
  const configFrom = names.includes("config.json") ? files.join(folder, "config.json") : undefined;
  const config = configFrom && (await readJsonObject(files, configFrom));
  return {
    from: files.join(folder, name),
    ...(configFrom && config && { config, configFrom }),
    tensors: await openWeights(files, folder, name),
  };
}

/** The tensors of a file, or of the shards that an index stands for. */
export const openWeights = (files: FileSystem, folder: string, name: string): Promise<Record<string, FileEntry>> =>
  isShardIndex(name) ? openShards(files, folder, name) : openTensors(files, files.join(folder, name));

/** The part that a class of diffusers or transformers is; undefined for others. */
export function partOfClass(name: unknown): ModelPartName | undefined {
  return typeof name === "string" && Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
}

const CLASSES: Readonly<Record<string, ModelPartName>> = {
  UNet2DConditionModel: "unet",
  AutoencoderKL: "vae",
  AutoencoderTiny: "vae",
  CLIPTextModel: "text_encoder",
  CLIPTextModelWithProjection: "text_encoder_2",
  DiTTransformer2DModel: "transformer",
  SD3Transformer2DModel: "transformer",
  FluxTransformer2DModel: "transformer",
};

/** A part with the names that its library writes today, whichever version wrote it. */
export function modernPart(name: ModelPartName, part: ModelPart): ModelPart {
  if (name === "vae") return { ...part, tensors: modernVae(part.tensors) };
  return name.startsWith("text_encoder") ? { ...part, tensors: modernText(part.tensors) } : part;
}
