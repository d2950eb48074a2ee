import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { DATA_FOLDER } from "../../../core/interfaces/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../core/io/mod.ts";
import { frozenScope, layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { CLIP_IMAGE_TOWERS, clipVisionExtractor, clipVisionOf } from "../../../plugins/extractors/clipVision.ts";
import { type ClipVisionOptions, clipVision } from "../../../plugins/extractors/shared/clipVision.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { FLOAT32_TOLERANCE, largestError } from "../../helpers/close.ts";
import { golden } from "../../helpers/golden.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";
import { compose, Feed } from "../support.ts";

const test = suite("plugins/extractors/clipVision");

const wasm = await WasmBackend.open();
const reference = golden("clip_vision");
const SIZES = {
  width: 32,
  layers: 2,
  heads: 4,
  inner: 64,
  size: 32,
  patch: 8,
  projected: 16,
  activation: "quick_gelu",
} satisfies ClipVisionOptions;
type Tensors = Record<string, StoredTensor>;
const f32 = (shape: readonly number[], data: ArrayLike<number>): StoredTensor => ({
  dtype: "F32",
  shape,
  data: Float32Array.from(data),
});

/** The weights of the reference case, with transformers' names. */
const theirs: Tensors = Object.fromEntries(
  reference
    .names("w.")
    .filter((name) => !name.endsWith("position_ids"))
    .map((name) => [name.slice(2), f32(reference.shape(name), reference.f32(name))]),
);

/** The same as OpenAI's file has them, a text tower beside them. */
function openAiFile(): Tensors {
  const file: Tensors = {
    positional_embedding: f32([2, 2], [0, 0, 0, 0]),
    "token_embedding.weight": f32([2, 2], [0, 0, 0, 0]),
    "transformer.resblocks.0.ln_1.weight": f32([2], [0, 0]),
    logit_scale: f32([], [4.6]),
  };
  const place = (name: string) => theirs[`vision_model.${name}`];
  const turned = ({ shape: [rows, columns], data }: StoredTensor) =>
    f32(
      [columns, rows],
      Array.from(data as Float32Array, (_, at) => Number(data[(at % rows) * columns + Math.floor(at / rows)])),
    );
  file["visual.class_embedding"] = place("embeddings.class_embedding");
  file["visual.positional_embedding"] = place("embeddings.position_embedding.weight");
  file["visual.conv1.weight"] = place("embeddings.patch_embedding.weight");
  file["visual.proj"] = turned(theirs["visual_projection.weight"]);
  for (const part of ["weight", "bias"]) {
    file[`visual.ln_pre.${part}`] = place(`pre_layrnorm.${part}`);
    file[`visual.ln_post.${part}`] = place(`post_layernorm.${part}`);
    for (const i of [0, 1]) {
      const [ours, layer] = [`visual.transformer.resblocks.${i}`, `encoder.layers.${i}`];
      for (const n of [1, 2]) file[`${ours}.ln_${n}.${part}`] = place(`${layer}.layer_norm${n}.${part}`);
      const all = ["q", "k", "v"].map((name) => place(`${layer}.self_attn.${name}_proj.${part}`));
      file[`${ours}.attn.in_proj_${part}`] = f32(
        [96, ...all[0].shape.slice(1)],
        all.flatMap(({ data }) => Array.from(data as Float32Array)),
      );
      file[`${ours}.attn.out_proj.${part}`] = place(`${layer}.self_attn.out_proj.${part}`);
      file[`${ours}.mlp.c_fc.${part}`] = place(`${layer}.mlp.fc1.${part}`);
      file[`${ours}.mlp.c_proj.${part}`] = place(`${layer}.mlp.fc2.${part}`);
    }
  }
  return file;
}

const files = memoryFiles({ theirs: encodeSafetensors(theirs), openai: encodeSafetensors(openAiFile()) });
const extractorOf = (path: string, sizes: ClipVisionOptions = SIZES) => {
  const container = compose({ sample: [3, 32, 32], condition: {}, sigmaData: 0.5 });
  return clipVisionOf(container.value(DATA_FOLDER, { files }, "the test"), path, sizes);
};

test("is a well-formed plugin", () => checkPlugin(clipVisionExtractor, { network: "ViT-g/14", weights: "clip.pt" }));

test("the embedding of the reference case, from pictures in [-1, 1], whichever names the file has", async () => {
  const extractor = extractorOf("openai");
  const weights = await extractor.load();
  assert.equal(weights.arenas, (await extractorOf("theirs").load()).arenas);
  assert.equal(extractor.widths, { embeds: 16 });
  const [mean, deviation] = [
    [0.48145466, 0.4578275, 0.40821073],
    [0.26862954, 0.26130258, 0.27577711],
  ];
  const normal = reference.f32("in.pixel_values");
  const colour = (i: number) => Math.floor(i / 1024) % 3;
  const raw = normal.map((value, i) => 2 * (value * deviation[colour(i)] + mean[colour(i)]) - 1);
  const feed = new Feed();
  const x = feed.tensor("x", reference.shape("in.pixel_values"), raw);
  const { embeds } = await evaluateOn(wasm, extractor.bind(frozenScope(weights)).features(x), feed, [weights]);
  assert.ok(largestError(embeds, reference.f32("out.image_embeds")) < FLOAT32_TOLERANCE);
});

test("sizes of the networks: as many parameters as their image towers have", () => {
  const parameters = (sizes: ClipVisionOptions) =>
    layoutOf((scope) => void clipVision(scope, input("x", [1, 3, sizes.size, sizes.size]), sizes)).count;
  // In millions, as OpenCLIP's table of models has them.
  for (const [network, millions] of [
    ["ViT-B/32", 87.85],
    ["ViT-L/14", 303.97],
    ["ViT-g/14", 1012.65],
  ] as const)
    assert.is((parameters(CLIP_IMAGE_TOWERS[network]) / 1e6).toFixed(2), millions.toFixed(2), network);
});

test("weights of another tower are refused: counts, the nearest names, and what to set", async () => {
  const base = f32([768], new Float32Array(768));
  files.contents.set(
    "base",
    encodeSafetensors({
      "visual.class_embedding": base,
      "visual.conv1.weight": f32([768, 3, 32, 32], new Float32Array(768 * 3 * 1024)),
      "visual.positional_embedding": f32([50, 768], new Float32Array(50 * 768)),
    }),
  );
  const error = await rejected(extractorOf("base").load());
  assert.match(
    error.message,
    /^Cannot load clip-vision from base: \d+ names do not fit \(3 of another shape, \d+ miss/,
  );
  assert.is(error.fix, "set extractors.clip-vision.network=ViT-B/32, if that is whose weights they are");
  files.contents.set("texts", encodeSafetensors({ "text_model.final_layer_norm.weight": base }));
  const none = await rejected(extractorOf("texts").load());
  assert.match(none.message, /\(\d+ missing\): missing vision_model\.embeddings\.patch_embedding\.weight; /);
  assert.is.not(none.fix, error.fix);
});

test("close", () => wasm.close());

test.run();
