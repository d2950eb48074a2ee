/** CLIP's text towers in the names of transformers, and in OpenCLIP's, with their fused and turned matrices. */
import type { ModelPart } from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { openClipPlace, transformersPlaces } from "../../../core/nn/mod.ts";
import { partOf, stacked, turned } from "./derivedEntry.ts";

type Tensors = ModelPart["tensors"];

/** Buffers that some versions store: a list of places, and the temperature of training. */
const PASSED_OVER = /(^|\.)(position_ids|logit_scale)$/;

/** A text tower of transformers under the names of published files, which versions that drop `text_model.` read too. */
export function modernText(tensors: Tensors): Record<string, FileEntry> {
  const modern: Record<string, FileEntry> = Object.create(null);
  for (const [name, entry] of Object.entries(tensors)) {
    if (PASSED_OVER.test(name)) continue;
    const isBare = /^(embeddings|encoder|final_layer_norm)\./.test(name);
    modern[isBare ? `text_model.${name}` : name] = entry;
  }
  return modern;
}

/**
 * A text tower of OpenCLIP under the names of transformers. What has none of its names is passed over.
 * @param withoutLast leaves out the last layer and the projection: Stable Diffusion 2 reads the last state but one
 */
export function fromOpenClip(tensors: Tensors, { withoutLast = false } = {}): Record<string, FileEntry> {
  const translated: Record<string, FileEntry> = Object.create(null);
  for (const [name, entry] of Object.entries(tensors))
    for (const place of transformersPlaces(name) ?? []) {
      if (place.name.startsWith("vision_model.")) continue;
      const { third } = place;
      const part = () => (third === undefined ? entry : partOf(entry, third, 3, name));
      translated[place.name] = place.turned ? turned(entry, name) : part();
    }
  if (!withoutLast) return translated;
  const layerOf = (name: string) => Number(/^text_model\.encoder\.layers\.(\d+)\./.exec(name)?.[1] ?? -1);
  const last = Object.keys(translated).reduce((most, name) => Math.max(most, layerOf(name)), 0);
  for (const name of Object.keys(translated))
    if (layerOf(name) === last || name === "text_projection.weight") delete translated[name];
  return translated;
}

/** The reverse: q, k and v of a layer become one tensor. @throws E_CHECKPOINT where they do not fit together */
export function toOpenClip(tensors: Tensors): Record<string, FileEntry> {
  const translated: Record<string, FileEntry> = Object.create(null);
  const joint = new Map<string, FileEntry[]>();
  for (const [name, entry] of Object.entries(tensors)) {
    const place = openClipPlace(name);
    if (!place) continue;
    if (place.third === undefined) translated[place.name] = place.turned ? turned(entry, name) : entry;
    else {
      const parts = joint.get(place.name) ?? [];
      parts[place.third] = entry;
      joint.set(place.name, parts);
    }
  }
  for (const [name, parts] of joint) translated[name] = stacked(parts, name);
  return translated;
}
