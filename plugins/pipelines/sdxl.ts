import type { JsonObject, ModelParts, Pipeline } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { clipTextSizes, promptEncoder } from "../encoders/shared/promptEncoder.ts";
import { latentUNet, partOf, vocabularyOf } from "./shared/latentUNet.ts";
import { oneOf } from "./shared/readSettings.ts";

/**
 * SDXL: a U-Net over latents, told the last states but one of CLIP ViT-L/14's and OpenCLIP ViT-bigG/14's text towers side by side,
 * without a final norm, [B, 77, 2048]; the projected end token of the second, [B, 1280]; and the sizes of the picture, [B, 6]:
 * original height and width, top and left of the crop, target height and width.
 * No text is zeros. Podell et al. 2023, arXiv:2307.01952.
 */
export const sdxl = definePlugin({
  name: "sdxl",
  kind: "pipeline",
  about: "Stable Diffusion XL: texts to pictures of 1024 pixels",
  options: {},
  create: (): Pipeline => ({
    name: "sdxl",
    reads: ({ architecture }) => architecture === "sdxl",
    open(parts, files) {
      const pooled = pooledWidth(parts);
      const index: JsonObject = parts.modelIndex ?? {};
      const zeros = oneOf(parts.path, index, "force_zeros_for_empty_prompt", false, true) ?? true;
      return latentUNet(parts, {
        side: 128,
        guidanceScale: 5,
        pooled,
        emptyText: zeros ? undefined : "",
        towers: () => [
          promptEncoder({
            name: "text",
            part: partOf(parts, "text_encoder"),
            vocabulary: vocabularyOf(files, parts.path, parts.vocabulary, parts.vocabulary2),
            padding: "end",
            state: "penultimate",
          }),
          promptEncoder({
            name: "text-2",
            part: partOf(parts, "text_encoder_2"),
            vocabulary: vocabularyOf(files, parts.path, parts.vocabulary2, parts.vocabulary),
            padding: "zero",
            state: "penultimate",
            pooled: true,
          }),
        ],
      });
    },
  }),
});

/** Width of the projection of OpenCLIP's ViT-bigG/14, where the second text tower is not among the parts. */
const PROJECTED = 1280;

function pooledWidth({ parts: { text_encoder_2: second } }: ModelParts): number {
  return (second?.config && clipTextSizes(second.config, second.configFrom ?? second.from).projected) ?? PROJECTED;
}
