import type { Resolver } from "../../core/di/mod.ts";
import { failure } from "../../core/errors.ts";
import type { Extractor } from "../../core/interfaces/mod.ts";
import { type FrozenWeights, frozenWeights, type Scope } from "../../core/nn/mod.ts";
import { input } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, text } from "../../core/plugin/mod.ts";
import { IMAGENET_COLOURS, withColours } from "./shared/colours.ts";
import { type DinoOptions, dinov2 } from "./shared/dinov2.ts";
import { extractorWeights, type NamedWeights } from "./shared/extractorWeights.ts";
import { imagesAtOnce } from "./shared/imagesAtOnce.ts";

const PLACES = { patch: 14, grid: 37 };
const NETWORKS = {
  "ViT-S/14": { ...PLACES, width: 384, layers: 12, heads: 6 },
  "ViT-B/14": { ...PLACES, width: 768, layers: 12, heads: 12 },
  "ViT-L/14": { ...PLACES, width: 1024, layers: 24, heads: 16 },
} as const;

/**
 * DINOv2, a vision transformer that was trained without labels, as the Fréchet distance FD-DINOv2 uses it.
 *   images in [-1, 1] → `cls` [B, 384, 768 or 1024], the class token after the last norm
 * Pictures of other sizes come stretched to `size` pixels by Pillow's bicubic filter on bytes, in ImageNet's colours, as dgm-eval
 * has it. The file is the official `dinov2_vitl14_pretrain.pth` or `dinov2_vitl14_reg4_pretrain.pth`, or has its names. Checked
 * against a network written from the papers in PyTorch, with made-up weights; not against the official code.
 * Oquab et al. 2023, arXiv:2304.07193; Stein et al. 2023, arXiv:2306.04675.
 */
export const dinov2Extractor = definePlugin({
  name: "dinov2",
  kind: "extractor",
  about: "DINOv2: what a network that was trained without labels sees in a picture",
  options: {
    weights: text({
      default: "",
      about: "safetensors or PyTorch file: the official state dict, such as dinov2_vitl14_pretrain.pth",
    }),
    network: choice(["ViT-S/14", "ViT-B/14", "ViT-L/14"], {
      default: "ViT-L/14",
      about: "whose weights they are; FD-DINOv2 takes the large one",
    }),
    registers: choice([0, 4], { default: 0, about: "register tokens: 4 in the files with reg4 in their names" }),
    size: number({
      default: 224,
      min: 14,
      max: 1400,
      integer: true,
      about: "pixels that pictures are resized to, a multiple of 14",
    }),
  },
  create({ weights, network, registers, size }, container): Extractor {
    if (size % PLACES.patch !== 0)
      throw failure("E_OPTION", `Cannot configure dinov2: size is ${size}, should be a multiple of ${PLACES.patch}`);
    return dinov2Of(container, weights, { ...NETWORKS[network], registers }, size);
  },
});

/** The extractor of a network of any size, for pictures of `size` pixels. */
export function dinov2Of(container: Resolver, path: string, sizes: DinoOptions, size: number): Extractor {
  const { width, patch, registers } = sizes;
  let loaded: Promise<FrozenWeights> | undefined;
  const declare = (scope: Scope) => void dinov2(scope, input("x", [1, 3, size, size]), sizes);
  const load = async () => {
    const tensors = await extractorWeights(container, "dinov2", path);
    const found = tensors.register_tokens?.shape[1] ?? 0;
    if (tensors.cls_token && found !== registers)
      throw failure(
        "E_CHECKPOINT",
        `Cannot load dinov2 from ${path}: it has ${found} register tokens, expected ${registers}`,
        {
          fix: `set extractors.dinov2.registers=${found}`,
        },
      );
    return frozenWeights("dinov2", declare, tensors, path, fixFor(tensors));
  };
  return {
    name: "dinov2",
    reads: { channels: [1, 3], smallest: 1, size, fit: "stretch", resized: "bytes" },
    together: imagesAtOnce(1 + registers + (size / patch) ** 2, 4 * width),
    widths: { cls: width },
    bind: (scope) => ({ features: (x) => ({ cls: dinov2(scope, withColours(x, IMAGENET_COLOURS), sizes) }) }),
    load: () => (loaded ??= load()),
  };
}

/** What to set for a file that is of another of the networks; undefined for one of none. */
function fixFor({ cls_token: token }: NamedWeights): string | undefined {
  const found = Object.entries(NETWORKS).find(([, { width }]) => token?.shape.join() === `1,1,${width}`);
  return found && `set extractors.dinov2.network=${found[0]}, if that is whose weights they are`;
}
