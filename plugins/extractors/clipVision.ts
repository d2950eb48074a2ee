import type { Resolver } from "../../core/di/mod.ts";
import type { Extractor } from "../../core/interfaces/mod.ts";
import {
  CLIP_NETWORKS,
  type ClipNetwork,
  clipByTransformersNames,
  type FrozenWeights,
  frozenWeights,
  type Scope,
} from "../../core/nn/mod.ts";
import { input } from "../../core/ops/mod.ts";
import { choice, definePlugin, text } from "../../core/plugin/mod.ts";
import { type ClipVisionOptions, clipVision } from "./shared/clipVision.ts";
import { CLIP_COLOURS, withColours } from "./shared/colours.ts";
import { extractorWeights, type NamedWeights } from "./shared/extractorWeights.ts";
import { imagesAtOnce } from "./shared/imagesAtOnce.ts";

const BASE = { width: 768, layers: 12, heads: 12, inner: 3072, size: 224, projected: 512, activation: "quick_gelu" };
const LARGE = { width: 1024, layers: 24, heads: 16, inner: 4096, patch: 14, projected: 768, activation: "quick_gelu" };
const OPEN = { heads: 16, size: 224, patch: 14, projected: 1024, activation: "gelu" };

/** Image towers, by the names of their authors. */
export const CLIP_IMAGE_TOWERS = {
  "ViT-B/32": { ...BASE, patch: 32 },
  "ViT-B/16": { ...BASE, patch: 16 },
  "ViT-L/14": { ...LARGE, size: 224 },
  "ViT-L/14@336px": { ...LARGE, size: 336 },
  "ViT-H/14": { ...OPEN, width: 1280, layers: 32, inner: 5120 },
  "ViT-g/14": { ...OPEN, width: 1408, layers: 40, inner: 6144 },
} as Readonly<Record<ClipNetwork, ClipVisionOptions>>;

/**
 * The image tower of a CLIP network, projected into the space that images share with texts.
 *   images in [-1, 1] → `embeds` [B, projected], of any length
 * Pictures of other sizes come resized as CLIP's own `preprocess` does it: the shorter side by Pillow's bicubic filter on bytes,
 * then the middle. The file has OpenAI's and OpenCLIP's names (`visual.class_embedding`, …) or those of transformers
 * (`vision_model.…`, `visual_projection.weight`); a text tower in it is passed over. B and L are OpenAI's, with quick GELU; H and g
 * are OpenCLIP's, with the exact one. Radford et al. 2021, arXiv:2103.00020; Cherti et al. 2022, arXiv:2212.07143.
 */
export const clipVisionExtractor = definePlugin({
  name: "clip-vision",
  kind: "extractor",
  about: "CLIP's image tower: what a picture shows, in the space shared with texts",
  options: {
    weights: text({
      default: "",
      about: "safetensors or PyTorch file of the tower or of both, with OpenAI's, OpenCLIP's or transformers' names",
    }),
    network: choice(CLIP_NETWORKS, {
      default: "ViT-L/14",
      about: "whose weights they are: B and L are OpenAI's, H and g OpenCLIP's",
    }),
  },
  create: ({ weights, network }, container): Extractor => clipVisionOf(container, weights, CLIP_IMAGE_TOWERS[network]),
});

/** Names of a text tower, and of what stands beside both. */
const TEXT_TOWER = /^(text_|token_embedding\.|positional_embedding$|transformer\.|ln_final\.|logit_(scale|bias)$)/;

/** What to set for a file that is of another of the networks; undefined for one of none. */
function fixFor(tensors: NamedWeights): string | undefined {
  const shapeOf = (name: string) => tensors[`vision_model.embeddings.${name}`]?.shape.join();
  const found = Object.entries(CLIP_IMAGE_TOWERS).find(
    ([, { width, patch, size }]) =>
      shapeOf("patch_embedding.weight") === [width, 3, patch, patch].join() &&
      shapeOf("position_embedding.weight") === [1 + (size / patch) ** 2, width].join(),
  );
  return found && `set extractors.clip-vision.network=${found[0]}, if that is whose weights they are`;
}

/** The extractor of an image tower of any size. */
export function clipVisionOf(container: Resolver, path: string, sizes: ClipVisionOptions): Extractor {
  const { size, projected } = sizes;
  let loaded: Promise<FrozenWeights> | undefined;
  const load = async () => {
    const read = await extractorWeights(container, "clip-vision", path, (name) => !TEXT_TOWER.test(name));
    const tensors = clipByTransformersNames(read);
    return frozenWeights("clip-vision", declare, tensors, path, fixFor(tensors));
  };
  const declare = (scope: Scope) => void clipVision(scope, input("x", [1, 3, size, size]), sizes);
  return {
    name: "clip-vision",
    reads: { channels: [1, 3], smallest: 1, size, fit: "crop", resized: "bytes" },
    together: imagesAtOnce(1 + (size / sizes.patch) ** 2, sizes.inner),
    widths: { embeds: projected },
    bind: (scope) => ({
      features: (x) => ({ embeds: clipVision(scope, withColours(x, CLIP_COLOURS), sizes).embeds }),
    }),
    load: () => (loaded ??= load()),
  };
}
