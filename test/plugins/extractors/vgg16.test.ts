import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { failure, type OnestepError } from "../../../core/errors.ts";
import { DATA_FOLDER, type DataFolder, type Extractor, extractorNamed } from "../../../core/interfaces/mod.ts";
import { frozenScope } from "../../../core/nn/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { vgg16 } from "../../../plugins/extractors/vgg16.ts";
import { evaluateOn } from "../../conformance/feed.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { compose, Feed, numbers } from "../support.ts";
import { vggFile, vggLayout } from "./vggFile.ts";

const test = suite("plugins/extractors/vgg16");

const backend = await WasmBackend.open();
const files = memoryFiles({
  good: vggFile(),
  strange: vggFile({ "net.slice1.0.bias": { dtype: "F32", shape: [3], data: numbers([3]) } }),
});

function extractorOf(weights: string, folder: DataFolder = { files }): Extractor {
  const shape = { sample: [3, 16, 16], condition: {}, sigmaData: 0.5 };
  const container = compose(shape, vgg16({ weights })).value(DATA_FOLDER, folder, "the test");
  return extractorNamed(container, "vgg16");
}
const refused = (extractor: Extractor): Promise<OnestepError> =>
  extractor.load().then(
    () => failure("E_USAGE", "nothing was refused"),
    (error) => error,
  );

test("is a well-formed plugin", () => checkPlugin(vgg16, { weights: "vgg.safetensors" }));

test("features by the names of the paper: a map of every stage, half as high and wide as that before", async () => {
  const extractor = extractorOf("good");
  assert.equal(extractor.reads, { channels: [1, 3], smallest: 16 });
  assert.equal(extractor.widths, {
    relu1_2: 64,
    relu2_2: 128,
    relu3_3: 256,
    relu4_3: 512,
    relu5_3: 512,
  });
  const weights = await extractor.load();
  const network = extractor.bind(frozenScope(weights));
  const feed = new Feed();
  const grey = numbers([1, 16, 32]);
  const x = feed.tensor("x", [1, 3, 16, 32], [...grey, ...grey, ...grey]);
  const features = network.features(x);
  assert.equal(
    Object.values(features).map(({ shape }) => shape),
    Object.values(extractor.widths).map((width, stage) => [1, width, 16 >> stage, 32 >> stage]),
  );
  assert.equal(Object.keys(features), Object.keys(extractor.widths));
  const one = network.features(feed.tensor("grey", [1, 1, 16, 32], grey));
  const { relu5_3, relu1_2 } = features;
  const outputs = { relu5_3, relu1_2, same: one.relu5_3 };
  const found = await evaluateOn(backend, outputs, feed, [weights]);
  assert.ok(found.relu1_2.every((each) => each >= 0) && found.relu1_2.some((each) => each > 0));
  assert.equal(found.same, found.relu5_3, "a grey image is one of three equal channels");
  assert.equal(await evaluateOn(backend, outputs, feed, [weights]), found);
});

test("channel weights: one for every channel of every feature", async () => {
  const extractor = extractorOf("good");
  const weights = extractor.bind(frozenScope(await extractor.load())).channelWeights!();
  assert.equal(
    Object.entries(weights).map(([name, { shape }]) => [name, shape]),
    Object.entries(extractor.widths).map(([name, width]) => [name, [1, width, 1, 1]]),
  );
});

test("load: reads the file once", async () => {
  const extractor = extractorOf("good");
  const weights = extractor.load();
  assert.is(extractor.load(), weights);
  assert.equal((await weights).layout.entries, vggLayout.entries);
  assert.is((await weights).layout.count, 14_714_688 + 64 + 128 + 256 + 512 + 512);
});

test("load: refuses a file that is not named, not there or not of this network", async () => {
  for (const [extractor, code, says] of [
    [extractorOf(""), "E_OPTION", /^Cannot load vgg16: weights is not given, expected a file of weights/],
    [extractorOf("good", {}), "E_OPTION", /^Cannot load vgg16: the run has no files, expected/],
    [extractorOf("none"), "E_FILE", /none/],
    [
      extractorOf("strange"),
      "E_CHECKPOINT",
      /^Cannot load vgg16 from strange: net\.slice1\.0\.bias is \[3\], expected \[64\]$/,
    ],
  ] as const) {
    const error = await refused(extractor);
    assert.is(error.code, code, error.message);
    assert.match(error.message, says);
  }
  assert.is((await refused(extractorOf(""))).fix, "give the file with --set extractors.vgg16.weights=FILE");
});

test("close", () => backend.close());

test.run();
