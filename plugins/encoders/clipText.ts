import type { Resolver } from "../../core/di/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_FOLDER, type Encoder } from "../../core/interfaces/mod.ts";
import { gunzip, isGzip, readTensors } from "../../core/io/mod.ts";
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
import { CLIP_CONTEXT } from "./shared/clipContext.ts";
import { type ClipTextOptions, clipText } from "./shared/clipText.ts";
import type { ClipTokenizer } from "./shared/clipTokenizer.ts";

const SIZES = { vocabulary: 49_408, positions: CLIP_CONTEXT };
const BASE = { ...SIZES, width: 512, layers: 12, heads: 8, inner: 2048, projected: 512, activation: "quick_gelu" };
const LARGE = { ...SIZES, width: 768, layers: 12, heads: 12, inner: 3072, projected: 768, activation: "quick_gelu" };
const OPEN = { ...SIZES, width: 1024, layers: 24, heads: 16, inner: 4096, projected: 1024, activation: "gelu" };

/** Text towers, by the names of the networks that they belong to. */
export const CLIP_TEXT_TOWERS = {
  "ViT-B/32": BASE,
  "ViT-B/16": BASE,
  "ViT-L/14": LARGE,
  "ViT-L/14@336px": LARGE,
  "ViT-H/14": OPEN,
  "ViT-g/14": OPEN,
} as Readonly<Record<ClipNetwork, ClipTextOptions & { readonly projected: number }>>;

/** What a file of merges unpacks to, in bytes; OpenAI's has 3.2 million. */
const MOST = 2 ** 24;

/**
 * The text tower of a CLIP network with its tokenizer: texts → `embeds` [B, projected], in the space that they share with images, of
 * any length. Rows are filled up with 0. The file has OpenAI's and OpenCLIP's names (`token_embedding.weight`, …) or those of
 * transformers (`text_model.…`, `text_projection.weight`); an image tower in it is passed over.
 * Radford et al. 2021, arXiv:2103.00020; Cherti et al. 2022, arXiv:2212.07143.
 */
export const clipTextEncoder = definePlugin({
  name: "clip-text",
  kind: "encoder",
  about: "CLIP's text tower: what a text says, in the space shared with pictures",
  options: {
    weights: text({
      default: "",
      about: "safetensors or PyTorch file of the tower or of both, with OpenAI's, OpenCLIP's or transformers' names",
    }),
    merges: text({
      default: "",
      about: "the vocabulary: OpenAI's bpe_simple_vocab_16e6.txt.gz, or merges.txt",
    }),
    network: choice(CLIP_NETWORKS, {
      default: "ViT-L/14",
      about: "whose weights they are, that of clip-vision: B and L are OpenAI's, H and g OpenCLIP's",
    }),
  },
  create: ({ weights, merges, network }, container): Encoder =>
    clipTextOf(container, { weights, merges }, CLIP_TEXT_TOWERS[network]),
});

/** Names of an image tower, and of what stands beside both. */
const IMAGE_TOWER = /^(visual|vision_|logit_(scale|bias)$)/;

/** The encoder of a text tower of any size. */
export function clipTextOf(
  container: Resolver,
  paths: { readonly weights: string; readonly merges: string },
  sizes: ClipTextOptions & { readonly projected: number },
): Encoder {
  let [loaded, read]: [Promise<FrozenWeights>?, Promise<ClipTokenizer>?] = [];
  const declare = (scope: Scope) => void clipText(scope, input("ids", [1, CLIP_CONTEXT], "i32"), sizes);
  const load = async () => {
    const { files, path } = fileOf(container, "weights", paths.weights);
    const tensors = clipByTransformersNames(await readTensors(files, path, (name) => !IMAGE_TOWER.test(name)));
    const shape = tensors["text_model.embeddings.token_embedding.weight"]?.shape.join();
    const found = Object.entries(CLIP_TEXT_TOWERS).find(([, { width }]) => shape === `${SIZES.vocabulary},${width}`);
    const fix = found && `set encoders.clip-text.network=${found[0]}, if that is whose weights they are`;
    return frozenWeights("clip-text", declare, tensors, path, fix);
  };
  const tokenizer = async () => {
    const { files, path } = fileOf(container, "merges", paths.merges);
    const bytes = await files.read(path);
    const plain = isGzip(bytes) ? await gunzip(bytes, path, () => MOST) : bytes;
    // Its table of HTML's entities is large: loaded when there is text to encode.
    const { ClipTokenizer } = await import("./shared/clipTokenizer.ts");
    return new ClipTokenizer(new TextDecoder().decode(plain), path);
  };
  return {
    name: "clip-text",
    context: CLIP_CONTEXT,
    widths: { embeds: sizes.projected },
    async tokens(texts, prefix = "") {
      const tokens = await (read ??= tokenizer());
      return tokens.rows(texts, "zero", prefix);
    },
    bind: (scope) => ({ encode: (ids) => ({ embeds: clipText(scope, ids, sizes).embeds! }) }),
    load: () => (loaded ??= load()),
  };
}

function fileOf(container: Resolver, option: "weights" | "merges", path: string) {
  const { files } = container.get(DATA_FOLDER);
  if (path === "" || !files)
    throw failure(
      "E_OPTION",
      `Cannot load clip-text: ${files ? `${option} is not given` : "the run has no files"}, expected a file of ${option}`,
      { fix: `give the file with --set encoders.clip-text.${option}=FILE` },
    );
  return { files, path };
}
