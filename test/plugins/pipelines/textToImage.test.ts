import { createHash } from "node:crypto";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { discreteTable } from "../../../core/diffusion/mod.ts";
import { encodeSafetensors } from "../../../core/io/mod.ts";
import { Registry } from "../../../core/plugin/mod.ts";
import { writeTinyModel } from "../../../examples/tiny-models/write.ts";
import { allPlugins } from "../../../plugins/all.ts";
import {
  type GenerateRequest,
  type OpenPipelineOptions,
  openPipeline,
} from "../../../plugins/pipelines/textToImage.ts";
import { type MemoryFiles, memoryFiles } from "../../helpers/memoryFiles.ts";
import { rejected, thrown } from "../../helpers/thrown.ts";
import { numbers } from "../support.ts";

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
    const [towers, calls] = kind === "sd15" ? [1, 3] : [2, 2];
    assert.equal(
      told.filter((each) => !each.startsWith("weights")),
      [
        ...Array.from({ length: towers + 1 }, (_, i) => `texts ${i}/${towers}`),
        ...Array.from({ length: calls + 1 }, (_, i) => `steps ${i}/${calls}`),
        ...["pictures 0/1", "pictures 1/1"],
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

test("a negative prompt leads a generator away where two calls are asked for, and is refused where nothing would", async () => {
  const wish = { as: "dmd2", steps: 1 };
  const [plain] = await drawn("sd15", wish);
  const away = { ...wish, guidanceScale: 1.5 };
  assert.is(
    new Set([plain, ...(await drawn("sd15", away)), ...(await drawn("sd15", { ...away, negative: "a dog" }))]).size,
    3,
  );
  const refused = async (request: GenerateRequest) => (await rejected(drawn("sd15", request))).message;
  assert.match(
    await refused({ ...wish, negative: "a dog" }),
    /^Cannot draw with sd15: as dmd2 it draws without guidance, and nothing leads away from the negative prompt/,
  );
  assert.match(await refused({ ...away, negativeScale: 2 }), /there is no such prompt/);
  assert.match(await refused({ ...away, negative: "a dog", negativeScale: 2 }), /it is not told its guidance/);
});

test("a generator that is told its guidance goes away from a negative prompt by a scale of its own", async () => {
  const files = memoryFiles();
  await writeTinyModel(files, "lcm", { kind: "sd15", unet: { time_cond_proj_dim: 32 } });
  const model = await openPipeline(files, "lcm", { backend, registry });
  const hash = async (request: GenerateRequest) => {
    const { pictures } = await model.generate({ ...WISH, as: "lcm", ...request });
    return createHash("sha256").update(pictures[0].data).digest("hex");
  };
  const negative = "a dog";
  const [plain, usual, same, far] = [
    await hash({}),
    await hash({ negative }),
    await hash({ negative, negativeScale: 1.5 }),
    await hash({ negative, negativeScale: 3 }),
  ];
  assert.is(same, usual);
  assert.is(new Set([plain, usual, far]).size, 3);
  // One of ours says which scales it has learned.
  const generator = { use: "few-step", timesteps: [999], guidanceScale: 3, guidanceMin: 1, guidanceMax: 4 };
  const data = { sample: [4, 8, 8], condition: {}, sigmaData: 1 };
  const text = JSON.stringify({
    version: 1,
    role: "generator",
    data,
    config: { process: { use: "discrete" }, generator },
  });
  await files.write("lcm/onestep_sampler.json", new TextEncoder().encode(text));
  const own = await openPipeline(files, "lcm", { backend, registry });
  assert.is(own.drawing({}).guidanceScale, 3);
  assert.is(own.drawing({ guidanceScale: 4 }).guidanceScale, 4);
  assert.match(thrown(() => own.drawing({ guidanceScale: 5 })).message, /lcm has learned scales from 1 to 4/);
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

test("the sampler manifest of a distilled generator is followed, unless other rules are asked for", async () => {
  const files = memoryFiles(Object.fromEntries(models.contents));
  const withManifest = async (config: object, role = "generator") => {
    const data = { sample: [4, 8, 8], condition: {}, sigmaData: 1 };
    const text = JSON.stringify({ version: 1, role, data, config });
    await files.write("sd15/onestep_sampler.json", new TextEncoder().encode(text));
    return openPipeline(files, "sd15", { backend, registry });
  };
  const process = { use: "discrete", prediction: "velocity" };
  const model = await withManifest({ process, generator: { use: "few-step", timesteps: [999, 499] } });
  const drawing = model.drawing({});
  assert.equal([drawing.as, drawing.guidanceScale, drawing.process.prediction], ["manifest", 1, "velocity"]);
  assert.equal(drawing.sampler, { use: "renoise", sigmas: [999, 499].map((t) => discreteTable({}).sigmas[t]) });
  assert.is(model.drawing({ as: "model" }).sampler.use, "pndm");
  const many = thrown(() => model.drawing({ steps: 3 }));
  assert.match(many.message, /in 3 steps: the generator of sd15 was distilled for 2/);
  const levels = await withManifest({ process, generator: { use: "few-step", sigmas: [14, 2, 0.5] } });
  assert.equal(levels.drawing({}).sampler, { use: "renoise", sigmas: [14, 2, 0.5] });
  assert.is((await withManifest({ process }, "teacher")).drawing({}).as, "model");
  for (const [config, says] of [
    [{ process: { use: "rectified-flow" }, generator: { timesteps: [5] } }, /prediction_type is "flow"/],
    [{ process, generator: { timesteps: [1000] } }, /Cannot draw at the timesteps 1000/],
  ] as const) {
    const wrong = await withManifest(config);
    assert.match(thrown(() => wrong.drawing({})).message, says);
  }
});

test("published students: levels, prediction and guidance of each", async () => {
  const [first, second] = [await opened("sd15"), await opened("sdxl")];
  const sigma = (timestep: number) => discreteTable({}).sigmas[timestep];
  assert.equal(second.drawing({ as: "dmd2" }).sampler.sigmas, [999, 749, 499, 249].map(sigma));
  assert.equal(second.drawing({ as: "dmd2", steps: 1 }).sampler.sigmas, [sigma(399)]);
  assert.equal(first.drawing({ as: "dmd2", steps: 1 }).sampler.sigmas, [sigma(999)]);
  assert.equal(second.drawing({ as: "lcm" }).sampler, { use: "lcm", steps: 4 });
  assert.equal(second.drawing({ as: "tcd", steps: 2 }).sampler, { use: "tcd", steps: 2 });
  const lightning = (steps: number) => second.drawing({ as: "lightning", steps });
  assert.equal(lightning(4).sampler, { use: "euler", spacing: "trailing", startAtLevel: true, steps: 4 });
  assert.equal(
    [lightning(1), lightning(4)].map(({ process }) => process.prediction),
    ["sample", "epsilon"],
  );
  assert.equal(second.drawing({ as: "turbo" }).sampler, {
    use: "euler-ancestral",
    spacing: "trailing",
    startAtLevel: true,
    steps: 1,
  });
  for (const as of ["dmd2", "lcm", "tcd", "lightning", "turbo"]) assert.is(second.drawing({ as }).guidanceScale, 1);
  assert.is(second.drawing({ as: "dmd2", guidanceScale: 2 }).guidanceScale, 2);
  // Another sampler takes over which timesteps the model's own visits.
  assert.equal(first.drawing({ sampler: "dpm-solver", steps: 20 }).sampler, {
    use: "dpm-solver",
    steps: 20,
    spacing: "leading",
    offset: 1,
  });
});

test("a LoRA changes the picture, as much as it is asked to", async () => {
  const key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  const matrix = (shape: [number, number]) => ({ dtype: "F32" as const, shape, data: numbers(shape) });
  const bytes = encodeSafetensors({
    [`${key}.lora_down.weight`]: matrix([4, 32]),
    [`${key}.lora_up.weight`]: matrix([32, 4]),
  });
  await models.write("lora.safetensors", bytes);
  const notes: string[] = [];
  const note = (text: string) => void notes.push(text);
  const of = async (scale: number) =>
    (await drawn("sd15", {}, { loras: [{ path: "lora.safetensors", scale }], note }))[0];
  const [plain] = await drawn("sd15", {});
  assert.is(await of(0), plain);
  assert.is.not(await of(1), plain);
  assert.is(notes[0], "lora.safetensors changes 1 layers");
});

test("a LoRA of no layer of the model, or one that makes weights infinite, is refused by its own name", async () => {
  const lora = (key: string, value: number) =>
    encodeSafetensors({
      [`${key}.lora_down.weight`]: { dtype: "F32", shape: [1, 32], data: new Float32Array(32).fill(value) },
      [`${key}.lora_up.weight`]: { dtype: "F32", shape: [32, 1], data: new Float32Array(32).fill(value) },
    });
  await models.write("other.safetensors", lora("lora_te2_text_model_encoder_layers_0_self_attn_q_proj", 1));
  const none = await rejected(opened("sd15", { loras: [{ path: "other.safetensors" }] }));
  assert.match(
    none.message,
    /Cannot add other\.safetensors to sd15: all its 1 layers are of parts that the model does not/,
  );
  const key = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  await models.write("large.safetensors", lora(key, 1e30));
  const large = await rejected(drawn("sd15", {}, { loras: [{ path: "large.safetensors" }] }));
  assert.match(large.message, /Cannot add large\.safetensors: with it at scale 1 the weights of .* NaN or infinite/);
});

/** The model with another text for one of its files, or without that file. */
async function changed(file: string, change?: (config: Record<string, unknown>) => unknown) {
  const contents = new Map(models.contents);
  const config = JSON.parse(new TextDecoder().decode(await models.read(file)));
  contents.delete(file);
  const other = memoryFiles(Object.fromEntries(contents));
  if (change) await other.write(file, new TextEncoder().encode(JSON.stringify(change(config))));
  return openPipeline(other, "sd15", { backend, registry });
}

test("numbers out of range are told, and are no black picture", async () => {
  const model = await changed("sd15/vae/config.json", (config) => ({ ...config, scaling_factor: 1e-38 }));
  const error = await rejected(model.generate(WISH));
  assert.is(error.code, "E_DIVERGED");
  assert.match(error.message, /^Cannot draw: \d+ of \d+ \w+ are NaN or infinite/);
});

test("settings that ask for more layers than the weights have are refused before anything is compiled", async () => {
  const model = await changed("sd15/unet/config.json", (config) => ({ ...config, layers_per_block: 50 }));
  const parts: string[] = [];
  const error = await rejected(model.generate({ ...WISH, onProgress: ({ part }) => void parts.push(part) }));
  assert.match(error.message, /Cannot load the network from sd15\/unet.*missing/s);
  assert.not.ok(parts.includes("weights"));
});

test("a part without config.json is told by its shapes, as in one file", async () => {
  const picture = async (model: Awaited<ReturnType<typeof changed>>) => (await model.generate(WISH)).pictures[0].data;
  const { data } = (await (await opened("sd15")).generate(WISH)).pictures[0];
  assert.equal(await picture(await changed("sd15/vae/config.json")), data);
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
    [{ prompt: "x".repeat(1001) }, "E_OPTION", /the prompt "x{20}…": a word of it has 1001 letters/],
    [{ prompt: "a b ".repeat(30_000) }, "E_OPTION", /it has 120000 letters/],
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
