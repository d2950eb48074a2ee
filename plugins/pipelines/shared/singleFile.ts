/** One file with all parts of a model, in the names of the original Stable Diffusion code: split into parts, and joined. */
import { failure } from "../../../core/errors.ts";
import type { Architecture, ModelPart, ModelPartName } from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { reshaped } from "./derivedEntry.ts";
import { type Translator, translator } from "./renaming.ts";
import { fromOpenClip, modernText, toOpenClip } from "./textNames.ts";
import { unetRenamings } from "./unetNames.ts";
import { isAttentionMatrix, modernVae, vaeRenamings } from "./vaeNames.ts";

type Tensors = Readonly<Record<string, FileEntry>>;

/** What the original code puts before the names of each part, and how those translate. */
const PLACES: readonly {
  readonly prefix: string;
  readonly part: ModelPartName;
  readonly read: (tensors: Tensors, from: string) => Record<string, FileEntry>;
}[] = [
  { prefix: "model.diffusion_model.", part: "unet", read: originalUnet },
  { prefix: "first_stage_model.", part: "vae", read: originalVae },
  { prefix: "cond_stage_model.transformer.", part: "text_encoder", read: modernText },
  { prefix: "cond_stage_model.model.", part: "text_encoder", read: (all) => fromOpenClip(all, { withoutLast: true }) },
  { prefix: "conditioner.embedders.0.transformer.", part: "text_encoder", read: modernText },
  { prefix: "conditioner.embedders.0.model.", part: "text_encoder_2", read: (all) => fromOpenClip(all) },
  { prefix: "conditioner.embedders.1.model.", part: "text_encoder_2", read: (all) => fromOpenClip(all) },
];

/** Where each architecture keeps its parts. */
const WRITTEN: Readonly<Partial<Record<Architecture, Readonly<Partial<Record<ModelPartName, string>>>>>> = {
  sd15: { unet: "model.diffusion_model.", vae: "first_stage_model.", text_encoder: "cond_stage_model.transformer." },
  sdxl: {
    unet: "model.diffusion_model.",
    vae: "first_stage_model.",
    text_encoder: "conditioner.embedders.0.transformer.",
    text_encoder_2: "conditioner.embedders.1.model.",
  },
};

/** Whether names are those of a single file. */
export const isSingleFile = (names: readonly string[]): boolean =>
  names.some((name) => name.startsWith("model.diffusion_model.") || name.startsWith("first_stage_model."));

/**
 * The parts of a single file by diffusers' names. Tables of the noise process and copies of other averages are passed over.
 * @throws E_CHECKPOINT where a network in it has names that are not known
 */
export function splitSingleFile(tensors: Tensors, from: string): Partial<Record<ModelPartName, ModelPart>> {
  const parts: Partial<Record<ModelPartName, ModelPart>> = {};
  for (const { prefix, part, read } of PLACES) {
    const own = underPrefix(tensors, prefix);
    if (Object.keys(own).length > 0) parts[part] = { from, tensors: read(own, from) };
  }
  return parts;
}

/** Tensors whose names begin so, without it. The record has no prototype. */
export function underPrefix(tensors: Tensors, prefix: string): Record<string, FileEntry> {
  const own: Record<string, FileEntry> = Object.create(null);
  for (const [name, entry] of Object.entries(tensors))
    if (name.startsWith(prefix)) own[name.slice(prefix.length)] = entry;
  return own;
}

/** A U-Net in the original names under those of diffusers. @throws E_CHECKPOINT for names that are not its own */
export function originalUnet(tensors: Tensors, from: string): Record<string, FileEntry> {
  return renamed(tensors, translator(unetRenamings(Object.keys(tensors)), "diffusers"), `the U-Net in ${from}`);
}

/** An autoencoder in the original names under those of diffusers. @throws E_CHECKPOINT for names that are not its own */
export function originalVae(tensors: Tensors, from: string): Record<string, FileEntry> {
  const own = Object.entries(tensors).filter(([name]) => !/^(loss|model_ema)\./.test(name));
  const table = vaeRenamings(Object.keys(tensors));
  const what = `the autoencoder in ${from}`;
  return modernVae(renamed(Object.fromEntries(own), translator(table, "diffusers"), what));
}

function renamed(tensors: Tensors, translate: Translator, what: string): Record<string, FileEntry> {
  const translated: Record<string, FileEntry> = Object.create(null);
  const unknown: string[] = [];
  for (const [name, entry] of Object.entries(tensors)) {
    const own = translate(name);
    if (own === undefined) unknown.push(name);
    else translated[own] = entry;
  }
  if (unknown.length > 0)
    throw failure(
      "E_CHECKPOINT",
      `Cannot read ${what}: ${unknown.length} of its ${Object.keys(tensors).length} tensors have names that are none of Stable Diffusion's: ${unknown.slice(0, 5).join(", ")}${unknown.length > 5 ? ", …" : ""}`,
      { fix: "give a checkpoint of Stable Diffusion 1.x, 2.x or SDXL, or a folder in diffusers' layout" },
    );
  return translated;
}

/**
 * The reverse: all parts in one record, by the original names.
 * @throws E_CHECKPOINT for architectures that the original code does not have, or parts that it has no place for
 */
export function joinSingleFile(
  parts: Readonly<Partial<Record<ModelPartName, ModelPart>>>,
  architecture: Architecture,
): Record<string, FileEntry> {
  const places = WRITTEN[architecture];
  if (!places)
    throw failure(
      "E_CHECKPOINT",
      `Cannot write a single file: the model is ${architecture}, the original names are known of ${Object.keys(WRITTEN).join(" and ")}`,
      { fix: "write a folder with --to diffusers" },
    );
  const all: Record<string, FileEntry> = Object.create(null);
  for (const [part, prefix] of Object.entries(places)) {
    const given = parts[part as ModelPartName];
    if (!given) continue;
    const own = prefix.endsWith(".model.") ? toOpenClip(given.tensors) : originalNames(part, given);
    for (const [name, entry] of Object.entries(own)) all[prefix + name] = entry;
  }
  return all;
}

function originalNames(part: string, { tensors, from }: ModelPart): Record<string, FileEntry> {
  const names = Object.keys(tensors);
  if (part === "unet") return renamed(tensors, translator(unetRenamings(names), "original"), `the U-Net in ${from}`);
  if (part !== "vae") return { ...tensors };
  const shaped: Record<string, FileEntry> = Object.create(null);
  for (const [name, entry] of Object.entries(tensors))
    shaped[name] = isAttentionMatrix(name) ? reshaped(entry, [...entry.shape, 1, 1]) : entry;
  return renamed(shaped, translator(vaeRenamings(names), "original"), `the autoencoder in ${from}`);
}
