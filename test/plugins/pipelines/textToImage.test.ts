import { createHash } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { allPlugins } from "../../../plugins/all.ts";
import {
  type GenerateRequest,
  type OpenPipelineOptions,
  openPipeline,
} from "../../../plugins/pipelines/textToImage.ts";
import { type MemoryFiles, memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected } from "../../helpers/thrown.ts";

const test = suite("plugins/pipelines/textToImage");
const backend = await WasmBackend.open();
test.after(() => backend.close());
const registry = new Registry().register(allPlugins);

/** Both tiny models, as one file system. */
const models: MemoryFiles = memoryFiles();
for (const kind of ["sd15", "sdxl"] as const) await writeTinyModel(models, kind, { kind });

const opened = (path: string, options: Partial<OpenPipelineOptions> = {}) =>
  openPipeline(models, path, { backend, registry, ...options });
const WISH: GenerateRequest = { prompt: "a cat in the house", steps: 2 };
/** A hash of all bytes of each picture. */
async function drawn(path: string, request: GenerateRequest, options?: Partial<OpenPipelineOptions>) {
  const { pictures } = await (await opened(path, options)).generate({ ...WISH, ...request });
  return pictures.map(({ data }) => createHash("sha256").update(data).digest("hex"));
}

for (const kind of ["sd15", "sdxl"] as const)
  test(`${kind}: load, encode, draw, decode; the same bytes each time, and others for another wish`, async () => {
    const told: string[] = [];
    const onProgress: GenerateRequest["onProgress"] = ({ part, done, total }) => told.push(`${part} ${done}/${total}`);
    const [first] = await drawn(kind, { onProgress });
    const towers = kind === "sd15" ? 1 : 2;
    assert.equal(
      told.filter((each) => !each.startsWith("weights")),
      [
        ...Array.from({ length: towers + 1 }, (_, i) => `texts ${i}/${towers}`),
        ...["steps 0/2", "steps 1/2", "steps 2/2", "pictures 0/1", "pictures 1/1"],
      ],
    );
    // Picture i of a seed is the same however many are drawn; prompts take turns.
    const negative = kind === "sdxl" ? "a dog" : undefined;
    const [again, dog] = await drawn(kind, {
      prompt: ["a cat in the house", "a dog"],
      count: 2,
      together: 1,
      negative,
    });
    assert.is(again === first, negative === undefined, "what guidance leads away from counts");
    assert.is(new Set([first, again, dog]).size, negative === undefined ? 2 : 3);
  });

test("pictures of other sizes, from a student without guidance, decoded in tiles", async () => {
  const { generate } = await opened("sdxl").then((model) => ({ generate: model.generate.bind(model) }));
  const size = { width: 96, height: 64 };
  const { pictures, nfe, drawing } = await generate({ prompt: "the dog", as: "dmd2", size, tile: 8 });
  assert.equal([pictures[0].width, pictures[0].height, pictures[0].data.length], [96, 64, 96 * 64 * 3]);
  assert.equal([nfe, drawing.guidanceScale], [4, 1]);
});

test("a prompt that is too long is cut, and what is cut is quoted", async () => {
  const notes: string[] = [];
  const long = `${"the cat ".repeat(40)}of dog`;
  const cut = await drawn("sd15", { prompt: long, steps: 1 }, { note: (text) => void notes.push(text) });
  assert.is(notes.length, 1);
  assert.match(
    notes[0],
    /^the prompt is longer than the 77 tokens that the text encoder reads; left out: "(the )?cat the .* of dog"$/,
  );
  assert.equal(cut, await drawn("sd15", { prompt: "the cat ".repeat(40), steps: 1 }));
});

test("the work ends when it is cancelled, with the reason", async () => {
  const model = await opened("sd15");
  const cancel = new AbortController();
  const parts: string[] = [];
  const error = await model
    .generate({
      ...WISH,
      signal: cancel.signal,
      onProgress({ part, done }) {
        parts.push(part);
        if (part === "steps" && done === 1) cancel.abort("enough");
      },
    })
    .catch((reason: unknown) => reason);
  assert.is(error, "enough");
  assert.not.ok(parts.includes("pictures"));
});

test("what can't be drawn is refused before anything is read", async () => {
  const model = await opened("sd15");
  for (const [wish, code, says] of [
    [{ as: "dmd3" }, "E_OPTION", /should be one of model, dmd2, lcm, tcd, lightning, turbo.*did you mean "dmd2"/],
    [{ sampler: "eular" }, "E_MISSING_PLUGIN", /sampler "eular".*euler/],
    [{ size: { width: 60, height: 64 } }, "E_OPTION", /of width 60: should be a multiple of 8/],
    [{ count: 0 }, "E_OPTION", /0 pictures/],
    [{ prompt: [] }, "E_OPTION", /there is no prompt/],
    [{ label: "3" }, "E_OPTION", /the model is told no class/],
  ] as const) {
    const error = await rejected(model.generate({ ...WISH, ...wish } as GenerateRequest));
    assert.is(error.code, code, error.message);
    assert.match(error.message, says);
  }
});

test("a model without a vocabulary, and one without an autoencoder, say what to give", async () => {
  const without = (part: RegExp) =>
    memoryFiles(Object.fromEntries([...models.contents].filter(([name]) => !part.test(name))));
  const refused = async (part: RegExp) => {
    const model = await openPipeline(without(part), "sd15", { backend, registry });
    return rejected(model.generate(WISH));
  };
  const vocabulary = await refused(/merges\.txt/);
  assert.match(vocabulary.fix, /--vocabulary merges\.txt/);
  assert.match((await refused(/sd15\/vae/)).message, /it has no autoencoder/);
  assert.match((await refused(/sd15\/text_encoder/)).message, /it has no text_encoder/);
});

test.run();
