import { gzipSync } from "node:zlib";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { DATA_FOLDER, ENCODERS } from "../../../core/interfaces/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../core/io/mod.ts";
import { frozenScope, initialise, layoutOf, unpackArenas, weightsHash } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { CLIP_TEXT_TOWERS, clipTextEncoder, clipTextOf } from "../../../plugins/encoders/clipText.ts";
import { type ClipTextOptions, clipText } from "../../../plugins/encoders/shared/clipText.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";
import { compose, Feed } from "../support.ts";

const test = suite("plugins/encoders/clipText");

const SIZES = {
  vocabulary: 50,
  positions: 77,
  width: 8,
  layers: 2,
  heads: 2,
  inner: 16,
  projected: 6,
  activation: "quick_gelu",
} satisfies ClipTextOptions;
const layout = layoutOf((scope) => void clipText(scope, input("ids", [1, 77], "i32"), SIZES));
const values = unpackArenas(layout, initialise(layout, 3));
const theirs: Record<string, StoredTensor> = Object.fromEntries(
  Object.entries(values).map(([name, { shape, data }]) => [name, { dtype: "F32", shape, data }]),
);

/** The same as OpenCLIP's file has them, an image tower beside them. */
function openClipFile(): Record<string, StoredTensor> {
  const file: Record<string, StoredTensor> = {
    "visual.proj": { dtype: "F32", shape: [2, 2], data: new Float32Array(4) },
  };
  const joint = (layer: string, part: string): StoredTensor => {
    const parts = ["q", "k", "v"].map((each) => theirs[`${layer}.self_attn.${each}_proj.${part}`]);
    const data = Float32Array.from(parts.flatMap((each) => Array.from(each.data as Float32Array)));
    return { dtype: "F32", shape: [24, ...parts[0].shape.slice(1)], data };
  };
  for (const i of [0, 1])
    for (const part of ["weight", "bias"])
      file[`transformer.resblocks.${i}.attn.in_proj_${part}`] = joint(`text_model.encoder.layers.${i}`, part);
  for (const [name, tensor] of Object.entries(theirs)) {
    if (/[qkv]_proj/.test(name)) continue;
    if (name === "text_projection.weight") {
      const data = Float32Array.from({ length: 48 }, (_, at) => Number(tensor.data[(at % 6) * 8 + Math.floor(at / 6)]));
      file.text_projection = { dtype: "F32", shape: [8, 6], data };
      continue;
    }
    const own = name
      .replace("text_model.encoder.layers.", "transformer.resblocks.")
      .replace("text_model.embeddings.position_embedding.weight", "positional_embedding")
      .replace("text_model.embeddings.", "")
      .replace("text_model.final_layer_norm.", "ln_final.")
      .replace(/layer_norm([12])/, "ln_$1")
      .replace("self_attn.", "attn.")
      .replace("mlp.fc1", "mlp.c_fc")
      .replace("mlp.fc2", "mlp.c_proj");
    file[own] = tensor;
  }
  return file;
}

const merges = ["#version: 0.2", "c a", "ca t</w>", ...Array.from({ length: 48_892 }, (_, i) => `q${i} z`)].join("\n");
const files = memoryFiles({
  theirs: encodeSafetensors(theirs),
  open: encodeSafetensors(openClipFile()),
  "merges.txt": merges,
  "merges.txt.gz": gzipSync(merges),
});
const container = compose({ sample: [2], condition: {}, sigmaData: 1 }).value(DATA_FOLDER, { files }, "the test");
const encoderOf = (weights: string, vocabulary = "merges.txt", sizes = SIZES) =>
  clipTextOf(container, { weights, merges: vocabulary }, sizes);

test("is a well-formed plugin, and an encoder for the container", () => {
  checkPlugin(clipTextEncoder, { network: "ViT-g/14", weights: "clip.pt", merges: "merges.txt" });
  const made = compose({ sample: [2], condition: {}, sigmaData: 1 }, clipTextEncoder({ network: "ViT-g/14" }));
  const [encoder] = made.value(DATA_FOLDER, { files }, "the test").all(ENCODERS);
  assert.equal([encoder.name, encoder.context, encoder.widths], ["clip-text", 77, { embeds: 1024 }]);
});

test("the same weights by either set of names, and embeddings of the tower", async () => {
  const weights = await encoderOf("theirs").load();
  assert.is(await weightsHash(await encoderOf("open").load()), await weightsHash(weights));
  const ids = Int32Array.from({ length: 154 }, (_, i) => (i % 77 === 9 ? 49 : (i * i) % 40));
  const feed = new Feed();
  const given = feed.tensor("ids", [2, 77], ids, "i32");
  const outputs = {
    embeds: encoderOf("theirs").bind(frozenScope(weights)).encode(given).embeds,
    wanted: clipText(frozenScope(weights), given, SIZES).embeds!,
  };
  const { embeds, wanted } = await evaluateOn(new ReferenceBackend(), outputs, feed, [weights]);
  assert.is(embeds.length, 12);
  assert.equal(embeds, wanted);
});

test("tokens: rows filled up with 0, from a plain or a packed file", async () => {
  const rows = await encoderOf("theirs").tokens(["cat", "b"], "a");
  assert.equal([...rows.subarray(0, 5)], [49406, 256 + 64, 513, 49407, 0]);
  assert.equal(await encoderOf("theirs", "merges.txt.gz").tokens(["cat", "b"], "a"), rows);
});

test("sizes: as many parameters as the text towers of OpenCLIP's table, in millions", () => {
  for (const [network, millions] of [
    ["ViT-B/32", 63.43],
    ["ViT-L/14", 123.65],
    ["ViT-g/14", 354.03],
  ] as const) {
    const sizes = CLIP_TEXT_TOWERS[network];
    const { count } = layoutOf((scope) => void clipText(scope, input("ids", [1, 77], "i32"), sizes));
    assert.is((count / 1e6).toFixed(2), millions.toFixed(2), network);
  }
});

test("what is missing or of another network is refused, with what to set", async () => {
  const none = await rejected(encoderOf("").load());
  assert.is(none.message, "Cannot load clip-text: weights is not given, expected a file of weights");
  assert.is(none.fix, "give the file with --set encoders.clip-text.weights=FILE");
  assert.is(
    (await rejected(encoderOf("theirs", "").tokens(["a"]))).fix,
    "give the file with --set encoders.clip-text.merges=FILE",
  );
  files.contents.set(
    "base",
    encodeSafetensors({
      "token_embedding.weight": { dtype: "F32", shape: [49_408, 512], data: new Float32Array(49_408 * 512) },
    }),
  );
  const other = await rejected(encoderOf("base").load());
  assert.match(other.message, /^Cannot load clip-text from base: \d+ names do not fit \(1 of another shape, \d+ miss/);
  assert.is(other.fix, "set encoders.clip-text.network=ViT-B/32, if that is whose weights they are");
});

test.run();
