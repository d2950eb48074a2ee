// A model of others, by its folder: pictures of texts through the engine are those of its pipeline.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { createEngine, type Engine } from "../../../examples/engine/mod.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { openPipeline } from "../../../plugins/pipelines/textToImage.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";

const test = suite("engine/pictureModel");

const files = memoryFiles();
let engine: Engine;
test.before(async () => {
  await writeTinyModel(files, "sd15", { kind: "sd15" });
  engine = await createEngine({ device: "wasm", threads: 1, files });
});
test.after(() => engine.dispose());

test("a prompt becomes the pictures that the pipeline makes of it, as bytes and as values", async () => {
  const { backend, registry } = engine;
  const made = await (await openPipeline(files, "sd15", { backend, registry })).generate({
    prompt: "a cat in the house",
    steps: 2,
    seed: 3,
    guidanceScale: 3,
  });
  const model = await engine.load("sd15");
  const drawn = await model.sample({ prompt: "a cat in the house", steps: 2, seed: 3, guidance: 3 });
  const [picture] = drawn.pictures();
  assert.equal(picture.data, made.pictures[0].data);
  assert.equal(drawn.shape, [1, ...model.shape]);
  assert.equal([drawn.nfe, drawn.seed, drawn.x.length], [made.nfe, 3, picture.data.length]);
  // The red of the second pixel.
  assert.is(drawn.x[1], Math.fround(picture.data[3] / 127.5 - 1));
});

test("what it is not told is refused, and a signal ends it between two steps", async () => {
  const model = await engine.load("sd15");
  const ends = async (request: object) => {
    const { code, message } = await rejected(model.sample(request));
    return `${code}: ${message}`;
  };
  assert.match(await ends({}), /^E_OPTION: .*there is no prompt/);
  assert.match(await ends({ prompt: "a", condition: {} }), /^E_OPTION: Cannot sample with condition/);
  assert.match(await ends({ prompt: "a", label: [1, 2] }), /^E_OPTION: .*one class at a time/);
  const controller = new AbortController();
  const onProgress = () => controller.abort();
  assert.match(await ends({ prompt: "a", steps: 9, signal: controller.signal, onProgress }), /^E_ABORTED/);
  await model.dispose();
  assert.match(await ends({ prompt: "a" }), /^E_DISPOSED/);
});

test.run();
