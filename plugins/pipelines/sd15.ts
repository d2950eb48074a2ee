import type { Pipeline } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { promptEncoder } from "../encoders/shared/promptEncoder.ts";
import { latentUNet, partOf, vocabularyOf } from "./shared/latentUNet.ts";

/**
 * Stable Diffusion 1.x: a U-Net over latents, told the last state of CLIP ViT-L/14's text tower after its final norm, [B, 77, 768].
 * No text is the encoding of an empty one. 2.x is built alike and read too: another text tower, rows filled up with 0.
 * Rombach et al. 2022, arXiv:2112.10752.
 */
export const sd15 = definePlugin({
  name: "sd15",
  kind: "pipeline",
  about: "Stable Diffusion 1.x, and 2.x: texts to pictures of 512 pixels",
  options: {},
  create: (): Pipeline => ({
    name: "sd15",
    reads: ({ architecture }) => architecture === "sd15" || architecture === "sd2",
    open(parts, files) {
      const isFirst = parts.architecture === "sd15";
      return latentUNet(parts, {
        side: 64,
        guidanceScale: 7.5,
        emptyText: "",
        towers: () => [
          promptEncoder({
            name: "text",
            part: partOf(parts, "text_encoder"),
            vocabulary: vocabularyOf(files, parts.path, parts.vocabulary),
            padding: isFirst ? "end" : "zero",
            state: "last",
          }),
        ],
      });
    },
  }),
});
