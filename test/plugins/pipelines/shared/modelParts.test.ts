import { suite } from "uvu";
import * as assert from "uvu/assert";
import { encodeSafetensors, type StoredTensor } from "../../../../core/io/mod.ts";
import { openModelParts } from "../../../../plugins/pipelines/shared/modelParts.ts";
import { weightsName } from "../../../../plugins/pipelines/shared/partFolder.ts";
import { joinSingleFile } from "../../../../plugins/pipelines/shared/singleFile.ts";
import { goldenBytes, goldenSet, hasGolden } from "../../../helpers/golden.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { rejected } from "../../../helpers/thrown.ts";
import { entriesOf, readAll, TINY_SD15, TINY_SDXL, TINY_TEXT, TINY_TEXT_2, TINY_VAE, tensorsOf } from "./models.ts";

const test = suite("plugins/pipelines/shared/modelParts");

type Stored = Record<string, StoredTensor>;
const file = (tensors: Stored) => encodeSafetensors(tensors);
const sd15 = { unet: tensorsOf(TINY_SD15), vae: tensorsOf(TINY_VAE), text_encoder: tensorsOf(TINY_TEXT) };
const renamed = (tensors: Stored, rename: (name: string) => string): Stored =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
const folder = () => ({
  "m/model_index.json": '{"_class_name":"StableDiffusionPipeline"}',
  "m/unet/config.json": '{"_class_name":"UNet2DConditionModel","cross_attention_dim":12}',
  "m/unet/diffusion_pytorch_model.safetensors": file(sd15.unet),
  "m/vae/config.json": "{}",
  "m/vae/diffusion_pytorch_model.fp16.safetensors": file(sd15.vae),
  "m/text_encoder/config.json": "{}",
  "m/text_encoder/model.safetensors": file(sd15.text_encoder),
  "m/scheduler/scheduler_config.json": '{"prediction_type":"epsilon"}',
  "m/tokenizer/merges.txt": "a b",
});

test("a folder of diffusers: parts, settings, vocabulary, and every number", async () => {
  const model = await openModelParts(memoryFiles(folder()), "m");
  assert.equal([model.layout, model.architecture, model.vocabulary], ["diffusers", "sd15", "m/tokenizer/merges.txt"]);
  assert.equal(model.scheduler, { prediction_type: "epsilon" });
  assert.equal(model.modelIndex, { _class_name: "StableDiffusionPipeline" });
  assert.equal(Object.keys(model.parts), ["unet", "vae", "text_encoder"]);
  assert.is(model.parts.unet!.config!.cross_attention_dim, 12);
  for (const [name, tensors] of Object.entries(sd15))
    assert.equal(await readAll(model.parts[name as "unet"]!.tensors), tensors, name);
});

test("of several files of weights one is taken by a fixed order", () => {
  const names = [
    "diffusion_pytorch_model.fp16.bin",
    "diffusion_pytorch_model.bin",
    "diffusion_pytorch_model.non_ema.safetensors",
    "diffusion_pytorch_model.safetensors.index.fp16.json",
    "diffusion_pytorch_model.fp16.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors",
  ];
  const taken: (string | undefined)[] = [];
  for (let left = ["config.json", "model-00001-of-00002.safetensors", ...names]; ; ) {
    const name = weightsName(left);
    if (name === undefined) break;
    taken.push(name);
    left = left.filter((each) => each !== name);
  }
  const [fp16Bin, bin, nonEma, fp16Index, fp16, index, whole] = names;
  assert.equal(taken, [whole, index, fp16, fp16Index, nonEma, bin, fp16Bin]);
  assert.is(weightsName(names, "fp16"), fp16);
});

test("shards are read through their index; what is missing or damaged is named", async () => {
  const names = Object.keys(sd15.unet);
  const half = names.length >> 1;
  const shard = (i: number) => `diffusion_pytorch_model-0000${i}-of-00002.safetensors`;
  const pick = (from: string[]) => Object.fromEntries(from.map((name) => [name, sd15.unet[name]]));
  const map = Object.fromEntries(names.map((name, i) => [name, shard(i < half ? 1 : 2)]));
  const index = "m/unet/diffusion_pytorch_model.safetensors.index.json";
  const { "m/unet/diffusion_pytorch_model.safetensors": _, ...others } = folder();
  const second = file(pick(names.slice(half)));
  const sharded = (more: Record<string, Uint8Array | string> = {}) =>
    memoryFiles({
      ...others,
      [index]: JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }),
      [`m/unet/${shard(1)}`]: file(pick(names.slice(0, half))),
      [`m/unet/${shard(2)}`]: second,
      ...more,
    });
  const model = await openModelParts(sharded(), "m");
  assert.equal({ ...(await readAll(model.parts.unet!.tensors)) }, sd15.unet);

  const refusal = async (files = sharded()) => {
    const { code, message } = await rejected(openModelParts(files, "m"));
    return `${code} ${message}`;
  };
  const lacking = sharded();
  lacking.contents.delete(`m/unet/${shard(2)}`);
  assert.match(await refusal(lacking), /^E_CHECKPOINT .*of its 2 shards one is missing: .*00002-of/);
  const cut = { [`m/unet/${shard(2)}`]: second.subarray(0, second.length - 8) };
  assert.match(await refusal(sharded(cut)), /^E_CHECKPOINT Cannot read m\/unet\/\S*-00002-of-00002\.safetensors: /);
  const other = { [`m/unet/${shard(2)}`]: file({ other: sd15.unet[names[0]] }) };
  assert.match(await refusal(sharded(other)), /tensor "\S+" is not in \S*00002-of/);
  for (const map of ['{"a":"../x.safetensors"}', '{"a":"b/c"}', '{"a":7}', '{"a":".."}'])
    assert.match(await refusal(sharded({ [index]: `{"weight_map":${map}}` })), /should lie in a file beside the index/);
  assert.match(await refusal(sharded({ [index]: "{" })), /is not JSON/);
  assert.match(await refusal(sharded({ [index]: "[]" })), /not an object/);
  assert.match(await refusal(sharded({ [index]: "{}" })), /"weight_map" is not an object/);
});

test("one file with the original names is the same model", async () => {
  const parts = Object.fromEntries(
    Object.entries(sd15).map(([name, tensors]) => [name, { from: name, tensors: entriesOf(tensors) }]),
  );
  const written = await readAll(joinSingleFile(parts, "sd15"));
  const files = memoryFiles({ "sd.safetensors": file(written) });
  const model = await openModelParts(files, "sd.safetensors");
  assert.equal([model.layout, model.architecture], ["single-file", "sd15"]);
  for (const [name, tensors] of Object.entries(sd15))
    assert.equal({ ...(await readAll(model.parts[name as "unet"]!.tensors)) }, tensors, name);
});

test("a network alone, under any wrapper", async () => {
  const opened = async (tensors: Stored, options = {}) => {
    const { layout, architecture, parts } = await openModelParts(
      memoryFiles({ "w.safetensors": file(tensors) }),
      "w.safetensors",
      options,
    );
    assert.is(layout, "network");
    return { architecture, parts };
  };
  const xl = tensorsOf(TINY_SDXL);
  for (const prefix of ["", "module.", "unet."]) {
    const { architecture, parts } = await opened(renamed(xl, (name) => prefix + name));
    assert.is(architecture, "sdxl");
    assert.equal({ ...(await readAll(parts.unet!.tensors)) }, xl, prefix);
  }
  const vae = await opened(sd15.vae);
  assert.equal(Object.keys(vae.parts), ["vae"]);
  const text = await opened(renamed(tensorsOf(TINY_TEXT_2), (name) => name.replace(/^text_model\./, "")));
  assert.equal(Object.keys(text.parts.text_encoder!.tensors), Object.keys(TINY_TEXT_2).sort(bySize));
  // DMD2's guidance file: the teacher, the critic, the head of the discriminator.
  const guidance = {
    ...renamed(xl, (name) => `real_unet.${name}`),
    ...renamed(tensorsOf(TINY_SDXL), (name) => `fake_unet.${name}`),
    "cls_pred_branch.0.weight": sd15.unet["conv_in.weight"],
    "fake_unet.conv_in.bias": { ...xl["conv_in.bias"], data: new Float32Array(8).fill(3) } as StoredTensor,
  };
  const bias = async (options = {}) =>
    (await (await opened(guidance, options)).parts.unet!.tensors["conv_in.bias"].read()).data[0];
  assert.is(await bias(), xl["conv_in.bias"].data[0]);
  assert.is(await bias({ guidance: "fake_unet" }), 3);
});

test("old names of an autoencoder's attention, convolutions among them, are those of today", async () => {
  const old = renamed(sd15.vae, (name) =>
    name
      .replace(".to_q.", ".query.")
      .replace(".to_k.", ".key.")
      .replace(".to_v.", ".value.")
      .replace(".to_out.0.", ".proj_attn."),
  );
  const name = "encoder.mid_block.attentions.0.query.weight";
  old[name] = { ...old[name], shape: [...old[name].shape, 1, 1] } as StoredTensor;
  const files = memoryFiles({ ...folder(), "m/vae/diffusion_pytorch_model.fp16.safetensors": file(old) });
  const { parts } = await openModelParts(files, "m");
  assert.equal({ ...(await readAll(parts.vae!.tensors)) }, sd15.vae);
});

test("a network folder: config.json says which part it is", async () => {
  const files = memoryFiles(folder());
  const { layout, architecture, parts } = await openModelParts(files, "m/unet");
  assert.equal([layout, architecture, Object.keys(parts)], ["network", "sd15", ["unet"]]);
  assert.is(parts.unet!.config!.cross_attention_dim, 12);
});

test("what is no model is refused, and says what it may be", async () => {
  const conv = sd15.unet["conv_in.weight"];
  const files = memoryFiles({
    "lora.safetensors": file({ "lora_unet_conv_in.lora_down.weight": conv }),
    "odd.safetensors": file({ a: conv }),
    "empty/readme.txt": "hello",
    "m/model_index.json": "{}",
  });
  const refusal = async (path: string) => {
    const { code, message, fix } = await rejected(openModelParts(files, path));
    return `${code} ${message}; ${fix}`;
  };
  assert.match(await refusal("none"), /^E_FILE .*no such file or folder/);
  assert.match(await refusal("lora.safetensors"), /^E_CHECKPOINT .*it is a LoRA.*--lora/);
  assert.match(await refusal("odd.safetensors"), /its 1 tensors have names of no network that is known: a/);
  assert.match(await refusal("empty"), /no file of weights/);
  assert.match(await refusal("m"), /no folder in it has weights/);
});

for (const [name, use] of [
  ["adm", "adm"],
  ["song", "song"],
] as const)
  if (hasGolden(`edm_network_${name}_expected`))
    test(`a pickled network of EDM (${name}): its weights, and options of ours`, async () => {
      const files = memoryFiles({ "net.pkl": goldenBytes(`edm_network_${name}.pkl`) });
      const { layout, architecture, network, parts } = await openModelParts(files, "net.pkl");
      assert.equal([layout, architecture, network!.use], ["network", "edm", use]);
      const { config } = goldenSet.entries.find(({ file }) => file === `edm_network_${name}_expected.safetensors`)!;
      const given = (config as { init_kwargs: Record<string, unknown> }).init_kwargs;
      assert.equal(network!.sample, [given.img_channels, given.img_resolution, given.img_resolution]);
      assert.equal([network!.classes, network!.sigmaData], [given.label_dim, given.sigma_data]);
      assert.equal([network!.options.channels, network!.options.attention], [8, [4]]);
      assert.ok("model.map_layer0.weight" in parts.unet!.tensors);
    });

const bySize = (a: string, b: string) => (a < b ? -1 : 1);

test.run();
