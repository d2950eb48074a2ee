import type { Architecture, ModelPart, ModelPartName } from "../../../core/interfaces/mod.ts";

/** What the parts of a model are, by the names and shapes of their tensors. */
export function architectureOf(parts: Readonly<Partial<Record<ModelPartName, ModelPart>>>): Architecture {
  if (parts.transformer) return "transformer";
  const tensors = parts.unet?.tensors ?? {};
  if ("model.map_layer0.weight" in tensors) return "edm";
  const width = textWidth(tensors);
  if (width === undefined) return "unknown";
  if ("add_embedding.linear_1.weight" in tensors) return "sdxl";
  return width === 1024 ? "sd2" : "sd15";
}

/** Width of the text that a U-Net looks at; undefined for one that looks at none. */
export function textWidth(tensors: ModelPart["tensors"]): number | undefined {
  const key = Object.keys(tensors).find((name) => name.endsWith(".attn2.to_k.weight"));
  return key === undefined ? undefined : tensors[key].shape[1];
}
