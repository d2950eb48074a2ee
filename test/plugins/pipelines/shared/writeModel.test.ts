import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ModelParts } from "../../../../core/interfaces/mod.ts";
import { encodeSafetensors, openSafetensors, type StoredTensor, toFloat32 } from "../../../../core/io/mod.ts";
import { baseHash } from "../../../../core/train/files/baseWeights.ts";
import { openLora } from "../../../../plugins/pipelines/shared/loraFile.ts";
import { mergeLora } from "../../../../plugins/pipelines/shared/mergeLora.ts";
import { openModelParts } from "../../../../plugins/pipelines/shared/modelParts.ts";
import { trainedNetwork } from "../../../../plugins/pipelines/shared/trainedNetwork.ts";
import { writeLora } from "../../../../plugins/pipelines/shared/writeLora.ts";
import { writeDiffusers, writeNetwork, writeSingleFile } from "../../../../plugins/pipelines/shared/writeModel.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { rejected } from "../../../helpers/thrown.ts";
import { numbersOf, readAll, TINY_SDXL, TINY_TEXT, TINY_TEXT_2, TINY_VAE, tensorsOf } from "./models.ts";

const test = suite("plugins/pipelines/shared/writeModel");

type Stored = Record<string, StoredTensor>;
const SHAPES = { unet: TINY_SDXL, vae: TINY_VAE, text_encoder: TINY_TEXT, text_encoder_2: TINY_TEXT_2 };
const sdxl = Object.fromEntries(Object.entries(SHAPES).map(([name, shapes]) => [name, tensorsOf(shapes)]));
const INDEX = {
  _class_name: "StableDiffusionXLPipeline",
  unet: ["diffusers", "UNet2DConditionModel"],
  image_encoder: ["a", "b"],
};
const folder = () =>
  memoryFiles({
    "m/model_index.json": JSON.stringify(INDEX),
    "m/unet/config.json": '{"_class_name":"UNet2DConditionModel","sample_size":8}',
    "m/unet/diffusion_pytorch_model.safetensors": encodeSafetensors(sdxl.unet),
    "m/vae/diffusion_pytorch_model.safetensors": encodeSafetensors(sdxl.vae),
    "m/text_encoder/model.safetensors": encodeSafetensors(sdxl.text_encoder),
    "m/text_encoder_2/model.safetensors": encodeSafetensors(sdxl.text_encoder_2),
    "m/tokenizer/merges.txt": "a b",
    "m/tokenizer/vocab.json": "{}",
    "m/tokenizer/weights.bin": "not copied",
    "m/scheduler/scheduler_config.json": '{"_class_name":"EulerDiscreteScheduler"}',
  });

async function checkNumbers({ parts }: ModelParts, how: (x: number) => number = (x) => x, only?: string) {
  for (const [name, tensors] of Object.entries(sdxl)) {
    if (only && only !== name) continue;
    const read = await readAll(parts[name as "unet"]!.tensors);
    assert.equal(Object.keys(read).sort(), Object.keys(tensors).sort(), name);
    for (const [tensor, stored] of Object.entries(read))
      assert.equal(toFloat32(stored), Float32Array.from(tensors[tensor].data as Float32Array, how), tensor);
  }
}

test("a folder is written as it was read, with tokenizers and settings", async () => {
  const files = folder();
  const lacking = await writeDiffusers(files, "out", await openModelParts(files, "m"));
  assert.equal(lacking, ["tokenizer_2"]);
  const written = await openModelParts(files, "out");
  await checkNumbers(written);
  assert.equal(written.scheduler, { _class_name: "EulerDiscreteScheduler" });
  assert.equal([written.vocabulary, written.parts.unet!.config!.sample_size], ["out/tokenizer/merges.txt", 8]);
  assert.not.ok(files.contents.has("out/tokenizer/weights.bin"));
  const index = written.modelIndex as Record<string, unknown>;
  assert.equal(
    [index._class_name, index.scheduler],
    ["StableDiffusionXLPipeline", ["diffusers", "EulerDiscreteScheduler"]],
  );
  assert.equal(index.image_encoder, [null, null]);
  assert.equal((await openSafetensors(files, "out/vae/diffusion_pytorch_model.safetensors")).metadata.format, "pt");
});

test("one file with the original names, and back into a folder", async () => {
  const files = folder();
  await writeSingleFile(files, "xl.safetensors", await openModelParts(files, "m"), { dtype: "f16" });
  const single = await openModelParts(files, "xl.safetensors");
  // The numbers of the tests fit into 16 bits.
  await checkNumbers(single);
  assert.equal([single.layout, single.architecture], ["single-file", "sdxl"]);
  const lacking = await writeDiffusers(files, "out", single, { dtype: "f32" });
  assert.equal(lacking, ["tokenizer", "tokenizer_2"]);
  const back = await openModelParts(files, "out");
  await checkNumbers(back);
  assert.is(back.parts.unet!.tensors["conv_in.weight"].dtype, "F32");
  assert.is(back.scheduler!._class_name, "EulerDiscreteScheduler");
  assert.is(back.parts.vae!.config!.scaling_factor, 0.13025);
});

test("types are converted as tensors are read, and what does not fit is refused", async () => {
  const files = folder();
  const model = await openModelParts(files, "m");
  const paces: number[] = [];
  await writeNetwork(files, "u.safetensors", model, "unet", { dtype: "bf16", pace: (done) => paces.push(done) });
  const { tensors } = await openSafetensors(files, "u.safetensors");
  assert.ok(Object.values(tensors).every(({ dtype }) => dtype === "BF16"));
  const names = Object.keys(TINY_SDXL);
  assert.equal(paces, [...names.keys(), names.length]);
  const large = { ...sdxl.unet, "conv_in.bias": { ...sdxl.unet["conv_in.bias"], data: new Float32Array(8).fill(1e5) } };
  files.contents.set("m/unet/diffusion_pytorch_model.safetensors", encodeSafetensors(large as Stored));
  const { code, message } = await rejected(
    writeNetwork(files, "v.safetensors", await openModelParts(files, "m"), "unet", { dtype: "f16" }),
  );
  assert.is(code, "E_CHECKPOINT");
  assert.match(message, /^Cannot write conv_in\.bias as f16: it has 100000/);
  assert.not.ok(files.contents.has("v.safetensors"));
});

const LAYERS = ["down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k", "down_blocks.0.resnets.1.conv2"];
const INFO = {
  role: "generator",
  data: { sample: [4, 8, 8], condition: {}, sigmaData: 1 },
  config: {
    process: { use: "discrete" },
    generator: { use: "few-step", timesteps: [999, 749], lora: { rank: 4, alpha: 2 } },
  },
};
const run = () => {
  const tensors: Stored = { ...sdxl.unet };
  for (const layer of LAYERS) {
    const [outputs, inputs, ...kernel] = TINY_SDXL[`${layer}.weight`];
    const put = (name: string, ...shape: number[]) => {
      tensors[name] = { dtype: "F32", shape, data: numbersOf(name, shape) };
    };
    put(`${layer}.lora_A.default.weight`, 4, inputs, ...kernel);
    put(`${layer}.lora_B.default.weight`, outputs, 4, ...kernel.map(() => 1));
  }
  return memoryFiles({ "g.safetensors": encodeSafetensors(tensors, { onestep: JSON.stringify(INFO) }) });
};

test("adapters of a run are in its weights when it is opened, and say how it is sampled", async () => {
  const files = run();
  const { sampler, parts, architecture } = await openModelParts(files, "g.safetensors");
  assert.equal([architecture, sampler!.steps, sampler!.timesteps], ["sdxl", 2, [999, 749]]);
  assert.equal([sampler!.prediction_type, sampler!.guidance_scale], ["epsilon", 1]);
  const { data } = await parts.unet!.tensors[`${LAYERS[0]}.weight`].read();
  assert.not.equal(data, sdxl.unet[`${LAYERS[0]}.weight`].data);
  assert.equal(Object.keys(parts.unet!.tensors).sort(), Object.keys(TINY_SDXL).sort());
});

test("adapters that were written alone are opened with the weights below them, and no others", async () => {
  const files = run();
  const { tensors } = await openSafetensors(files, "g.safetensors");
  const adapters: Stored = {};
  for (const [name, entry] of Object.entries(tensors)) if (name.includes(".lora_")) adapters[name] = await entry.read();
  const below = Object.entries(sdxl.unet).map(([name, { shape, data }]) => ({
    name,
    shape,
    read: () => data as Float32Array,
  }));
  const base = { file: "teacher.safetensors", prefix: "", hash: await baseHash(below) };
  files.contents.set("r/a.safetensors", encodeSafetensors(adapters, { onestep: JSON.stringify({ ...INFO, base }) }));
  assert.match(
    (await rejected(openModelParts(files, "r/a.safetensors"))).message,
    /below them are not there, should be r.teacher/,
  );
  files.contents.set("r/teacher.safetensors", encodeSafetensors(sdxl.unet));
  const [alone, whole] = [await openModelParts(files, "r/a.safetensors"), await openModelParts(files, "g.safetensors")];
  assert.equal({ ...(await readAll(alone.parts.unet!.tensors)) }, { ...(await readAll(whole.parts.unet!.tensors)) });
  const { "conv_in.bias": bias, ...others } = sdxl.unet;
  const other = { ...others, "conv_in.bias": { ...bias, data: new Float32Array(8) } as StoredTensor };
  files.contents.set("r/teacher.safetensors", encodeSafetensors(other));
  assert.match((await rejected(openModelParts(files, "r/a.safetensors"))).message, /has other weights than those/);
});

for (const keys of ["kohya", "peft"] as const)
  test(`adapters with ${keys}'s keys change the base as they do in the run`, async () => {
    const files = run();
    const { pairs } = (await trainedNetwork(await openSafetensors(files, "g.safetensors"), "g.safetensors"))!;
    assert.equal(
      pairs.map(({ layer, rank, alpha }) => [layer, rank, alpha]),
      [
        [LAYERS[1], 4, 2],
        [LAYERS[0], 4, 2],
      ],
    );
    await writeLora(files, "l.safetensors", { from: "g.safetensors", pairs }, keys);
    files.contents.set("base.safetensors", encodeSafetensors(sdxl.unet));
    const merged = mergeLora(await openModelParts(files, "base.safetensors"), await openLora(files, "l.safetensors"));
    assert.is(merged.layers, 2);
    const expected = await readAll((await openModelParts(files, "g.safetensors")).parts.unet!.tensors);
    assert.equal({ ...(await readAll(merged.model.parts.unet!.tensors)) }, { ...expected });
    const names = Object.keys((await openSafetensors(files, "l.safetensors")).tensors).sort();
    assert.equal(
      names[0],
      keys === "kohya"
        ? "lora_unet_down_blocks_0_resnets_1_conv2.alpha"
        : "unet.down_blocks.0.resnets.1.conv2.lora_A.weight",
    );
  });

test.run();
