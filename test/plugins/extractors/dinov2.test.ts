import { readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { DATA_FOLDER } from "../../../core/interfaces/mod.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor, toFloat32 } from "../../../core/io/mod.ts";
import { frozenScope, layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { dinov2Extractor, dinov2Of } from "../../../plugins/extractors/dinov2.ts";
import { dinov2 } from "../../../plugins/extractors/shared/dinov2.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { FLOAT32_TOLERANCE, largestError } from "../../helpers/close.ts";
import { projectRoot } from "../../helpers/golden.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected, thrown } from "../../helpers/thrown.ts";
import { compose, Feed, numbers } from "../support.ts";

const test = suite("plugins/extractors/dinov2");

const wasm = await WasmBackend.open();
const stored = decodeSafetensors(
  readFileSync(join(projectRoot(), "test/plugins/extractors/dinov2.safetensors")),
  "dinov2.safetensors",
).tensors;
const cases = { plain: 0, registers: 4 };
const sizes = (registers: number) => ({ width: 8, heads: 2, layers: 2, patch: 4, grid: 5, registers });
const values = (name: string) => toFloat32(stored[name]);

/** The weights of a case as a file. */
const fileOf = (name: string, more: Record<string, StoredTensor> = {}) =>
  encodeSafetensors({
    ...Object.fromEntries(
      Object.entries(stored).flatMap(([key, tensor]) =>
        key.startsWith(`${name}.w.`) ? [[key.slice(name.length + 3), tensor]] : [],
      ),
    ),
    ...more,
  });
const files = memoryFiles({ plain: fileOf("plain"), registers: fileOf("registers") });
const extractorOf = (path: string, registers: number, pixels = 12) => {
  const container = compose({ sample: [3, 12, 12], condition: {}, sigmaData: 0.5 });
  return dinov2Of(container.value(DATA_FOLDER, { files }, "the test"), path, sizes(registers), pixels);
};

test("is a well-formed plugin; a size that is no multiple of a patch is refused", () => {
  checkPlugin(dinov2Extractor, { weights: "dinov2.pth", network: "ViT-S/14", registers: 4, size: 448 });
  const container = compose({ sample: [3, 8, 8], condition: {}, sigmaData: 0.5 });
  const error = thrown(() =>
    dinov2Extractor.definition.create({ weights: "", network: "ViT-S/14", registers: 0, size: 225 }, container),
  );
  assert.is(error.message, "Cannot configure dinov2: size is 225, should be a multiple of 14");
});

test("the class token of a network in PyTorch, with registers and without, on grids that are resized and not", async () => {
  for (const [backend, tolerance] of [
    [new ReferenceBackend("f64"), 1e-6],
    [wasm, FLOAT32_TOLERANCE],
  ] as const)
    for (const [name, registers] of Object.entries(cases))
      for (const pixels of [12, 20, 28]) {
        const feed = new Feed();
        const { scope } = feed.weights("w.", (parameter) => values(`${name}.w.${parameter}`));
        const x = feed.tensor("x", [2, 3, pixels, pixels], values(`${name}.x${pixels}`));
        const { cls } = await evaluateOn(backend, { cls: dinov2(scope, x, sizes(registers)) }, feed);
        const error = largestError(cls, values(`${name}.cls${pixels}`));
        assert.ok(error < tolerance, `${name} ${pixels}: ${error}`);
      }
});

test("parameters: those of the official state dict", () => {
  const large = { width: 1024, heads: 16, layers: 24, patch: 14, grid: 37, registers: 4 };
  const layout = layoutOf((scope) => void dinov2(scope, input("x", [1, 3, 224, 224]), large));
  // 304,368,640 of the network without registers, but for the token of masks, which no picture reads.
  assert.is(layout.count, 304_368_640 - 1024 + 4 * 1024);
  const shapes = Object.fromEntries(layout.entries.map(({ name, shape }) => [name, shape.join()]));
  assert.is(shapes.pos_embed, "1,1370,1024");
  assert.is(shapes["blocks.23.attn.qkv.weight"], "3072,1024");
  assert.is(shapes["blocks.0.ls1.gamma"], "1024");
  assert.is(shapes["patch_embed.proj.weight"], "1024,3,14,14");
});

test("reads a file, takes colours of ImageNet, and a grey picture as three equal channels", async () => {
  const extractor = extractorOf("registers", 4);
  assert.equal(extractor.reads, { channels: [1, 3], smallest: 1, size: 12, fit: "stretch", resized: "bytes" });
  assert.equal(extractor.widths, { cls: 8 });
  const weights = await extractor.load();
  const feed = new Feed();
  const grey = numbers([144]);
  const network = extractor.bind(frozenScope(weights));
  const normal = values("registers.x12").slice(0, 432);
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ];
  const raw = normal.map((value, i) => 2 * (value * deviation[Math.floor(i / 144)] + mean[Math.floor(i / 144)]) - 1);
  const outputs = {
    grey: network.features(feed.tensor("grey", [1, 1, 12, 12], grey)).cls,
    three: network.features(feed.tensor("three", [1, 3, 12, 12], [...grey, ...grey, ...grey])).cls,
    known: network.features(feed.tensor("known", [1, 3, 12, 12], raw)).cls,
  };
  const found = await evaluateOn(wasm, outputs, feed, [weights]);
  assert.equal(found.grey, found.three);
  assert.ok(largestError(found.known, values("registers.cls12").slice(0, 8)) < FLOAT32_TOLERANCE);
});

test("weights of another network are refused, with what to set", async () => {
  const error = await rejected(extractorOf("registers", 0).load());
  assert.is(error.message, "Cannot load dinov2 from registers: it has 4 register tokens, expected 0");
  assert.is(error.fix, "set extractors.dinov2.registers=4");
  files.contents.set(
    "small",
    fileOf("plain", { cls_token: { dtype: "F32", shape: [1, 1, 384], data: new Float32Array(384) } }),
  );
  const other = await rejected(extractorOf("small", 0).load());
  assert.match(other.message, /^Cannot load dinov2 from small: cls_token is \[1, 1, 384\], expected \[1, 1, 8\]$/);
  assert.is(other.fix, "set extractors.dinov2.network=ViT-S/14, if that is whose weights they are");
  files.contents.set(
    "odd",
    encodeSafetensors({ "blocks.0.norm1.weigth": { dtype: "F32", shape: [8], data: new Float32Array(8) } }),
  );
  const odd = await rejected(extractorOf("odd", 0).load());
  assert.match(
    odd.message,
    /^Cannot load dinov2 from odd: \d+ names do not fit \(\d+ missing\): missing patch_embed\.proj\.weight;/,
  );
  assert.match(
    (odd.cause as Error).message,
    /missing blocks\.0\.norm1\.weight, did you mean "blocks\.0\.norm1\.weigth"\?/,
  );
});

test("close", () => wasm.close());

test.run();
