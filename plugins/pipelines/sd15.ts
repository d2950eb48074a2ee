import type { Pipeline } from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { CLIP_L, promptEncoder } from "../encoders/shared/promptEncoder.ts";
import { latentUNet, partOf, vocabularyOf } from "./shared/latentUNet.ts";
import { unetConfigOf } from "./shared/unetConfigOf.ts";

/** OpenCLIP's ViT-H/14 without its last layer, as SD 2.x has it. */
const CLIP_H = { ...CLIP_L, width: 1024, layers: 23, heads: 16, inner: 4096, activation: "gelu" } as const;

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
      const unet = partOf(parts, "unet");
      const isFirst = parts.architecture === "sd15";
      return latentUNet(parts, {
        config: unet.config ?? unetConfigOf(unet, { heads: isFirst ? "eight" : "of64" }),
        side: 64,
        latentScale: 0.18215,
        guidanceScale: 7.5,
        emptyText: "",
        towers: () => [
          promptEncoder({
            name: "text",
            part: partOf(parts, "text_encoder"),
            usual: isFirst ? CLIP_L : CLIP_H,
            vocabulary: vocabularyOf(files, parts.path, parts.vocabulary),
            padding: isFirst ? "end" : "zero",
            state: "last",
          }),
        ],
      });
    },
  }),
});
