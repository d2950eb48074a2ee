import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { ModelParts } from "../../../../core/interfaces/mod.ts";
import { encodeSafetensors, type StoredTensor } from "../../../../core/io/mod.ts";
import { openLora } from "../../../../plugins/pipelines/shared/loraFile.ts";
import { mergeLora } from "../../../../plugins/pipelines/shared/mergeLora.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { rejected, thrown } from "../../../helpers/thrown.ts";
import { entriesOf, numbersOf, readAll, TINY_SD15, TINY_SDXL, TINY_TEXT, TINY_TEXT_2, tensorsOf } from "./models.ts";

const test = suite("plugins/pipelines/shared/mergeLora");

type Stored = Record<string, StoredTensor>;
const f32 = (shape: number[], data: Float32Array): StoredTensor => ({ dtype: "F32", shape, data });
const scalar = (value: number): StoredTensor => f32([], Float32Array.of(value));
const matrix = (name: string, ...shape: number[]) => f32(shape, numbersOf(name, shape, 1 / 16));
const open = (tensors: Stored, metadata: Record<string, string> = {}, more: Record<string, string> = {}) =>
  openLora(files(tensors, metadata, more), "l.safetensors");
const files = (tensors: Stored, metadata = {}, more = {}): MemoryFiles =>
  memoryFiles({ "l.safetensors": encodeSafetensors(tensors, metadata), ...more });

const model = (parts: Readonly<Record<string, Stored>>): ModelParts => ({
  path: "base",
  layout: "network",
  architecture: "sd15",
  parts: Object.fromEntries(
    Object.entries(parts).map(([name, tensors]) => [name, { from: name, tensors: entriesOf(tensors) }]),
  ),
});
const sdxl = { unet: tensorsOf(TINY_SDXL), text_encoder: tensorsOf(TINY_TEXT), text_encoder_2: tensorsOf(TINY_TEXT_2) };

/** W + factor·up·down, in float64. */
function sum(base: StoredTensor, up: StoredTensor, down: StoredTensor, factor: number): Float32Array {
  const [K] = down.shape;
  const N = down.data.length / K;
  return Float32Array.from(base.data as Float32Array, (value, i) => {
    let change = 0;
    for (let k = 0; k < K; k++)
      change += Number(up.data[Math.floor(i / N) * K + k]) * Number(down.data[k * N + (i % N)]);
    return value + factor * change;
  });
}

const LINEAR = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k";
const OUT = "mid_block.attentions.0.transformer_blocks.1.attn1.to_out.0";
const KERNEL = "down_blocks.0.resnets.1.conv2";
const POINT = "down_blocks.1.resnets.0.conv_shortcut";
const HALVING = "down_blocks.0.downsamplers.0.conv";
const shapeOf = (layer: string) => TINY_SDXL[`${layer}.weight`];

/** Pairs of rank 6 for these layers, by the name that `name` gives a layer's matrix. */
function pairs(layers: readonly string[], name: (layer: string, slot: "down" | "up") => string): Stored {
  return Object.fromEntries(
    layers.flatMap((layer) => {
      const [outputs, inputs, ...kernel] = shapeOf(layer);
      return [
        [name(layer, "down"), matrix(`${layer}.down`, 6, inputs, ...kernel)],
        [name(layer, "up"), matrix(`${layer}.up`, outputs, 6, ...kernel.map(() => 1))],
      ];
    }),
  );
}

const kohya = (layer: string, slot: "down" | "up") => `lora_unet_${layer.replaceAll(".", "_")}.lora_${slot}.weight`;
const peft = (prefix: string, adapter: string) => (layer: string, slot: "down" | "up") =>
  `${prefix}${layer}.lora_${slot === "down" ? "A" : "B"}${adapter}.weight`;

async function checkMerged(
  lora: Stored,
  name: ReturnType<typeof peft>,
  layers: readonly string[],
  factor: number,
  how: { metadata?: Record<string, string>; more?: Record<string, string>; scale?: number } = {},
) {
  const { metadata, more, scale } = how;
  const merged = mergeLora(model(sdxl), await open(lora, metadata, more), scale);
  assert.is(merged.layers, layers.length);
  const read = await readAll(merged.model.parts.unet!.tensors);
  for (const [tensor, { data }] of Object.entries(sdxl.unet)) {
    const layer = tensor.replace(/\.weight$/, "");
    const isChanged = tensor.endsWith(".weight") && layers.includes(layer);
    const expected = isChanged
      ? sum(sdxl.unet[tensor], lora[name(layer, "up")], lora[name(layer, "down")], factor)
      : data;
    const isClose = (value: number, i: number) =>
      Math.abs(value - Number(read[tensor].data[i])) <= 1e-6 * (1 + Math.abs(value));
    assert.ok((expected as Float32Array).every(isClose), tensor);
  }
}

const ALL = [LINEAR, OUT, KERNEL, POINT, HALVING];

test("kohya's keys, convolutions and alpha included: W + scale·(alpha/rank)·up·down", async () => {
  const lora = pairs(ALL, kohya);
  await checkMerged(lora, kohya, ALL, 1);
  for (const layer of ALL) lora[kohya(layer, "up").replace("lora_up.weight", "alpha")] = scalar(3);
  await checkMerged(lora, kohya, ALL, 0.25, { scale: 0.5 });
});

test("kohya's keys in the names of the original code are those of the same layers", async () => {
  const original: Record<string, string> = {
    [LINEAR]: "input_blocks.4.1.transformer_blocks.0.attn2.to_k",
    [KERNEL]: "input_blocks.2.0.out_layers.3",
    [POINT]: "input_blocks.4.0.skip_connection",
    [HALVING]: "input_blocks.3.0.op",
    [OUT]: "middle_block.1.transformer_blocks.1.attn1.to_out.0",
  };
  const name = (layer: string, slot: "down" | "up") => kohya(original[layer], slot);
  await checkMerged(pairs(ALL, name), name, ALL, 1);
});

test("peft's and diffusers' keys, and where each keeps alpha", async () => {
  for (const [prefix, adapter] of [
    ["base_model.model.", ""],
    ["unet.", ""],
    ["unet.", ".default"],
    ["", ".default"],
  ]) {
    const name = peft(prefix, adapter);
    const lora = pairs(ALL, name);
    await checkMerged(lora, name, ALL, 1);
    await checkMerged(lora, name, ALL, 0.5, { more: { "adapter_config.json": '{"lora_alpha":3,"r":6}' } });
  }
  const name = peft("unet.", "");
  const lora = pairs(ALL, name);
  await checkMerged(lora, name, ALL, 2, { metadata: { lora_adapter_metadata: '{"unet.r":6,"unet.lora_alpha":12}' } });
  const info = JSON.stringify({ config: { generator: { lora: { rank: 6, alpha: 3 } } } });
  await checkMerged(lora, name, ALL, 0.5, { metadata: { onestep: info } });
  const stable = { "adapter_config.json": '{"lora_alpha":6,"use_rslora":true}' };
  await checkMerged(lora, name, ALL, Math.sqrt(6), { more: stable });
  const old = (layer: string, slot: "down" | "up") =>
    `unet.${layer.replace(".to_k", ".processor.to_k_lora").replace(".to_out.0", ".processor.to_out_lora")}.${slot}.weight`;
  await checkMerged(pairs([LINEAR, OUT], old), old, [LINEAR, OUT], 1);
});

test("text encoders are changed too, or passed over where the model has none", async () => {
  const layer = "text_model_encoder_layers_1_mlp_fc1";
  const shape = TINY_TEXT["text_model.encoder.layers.1.mlp.fc1.weight"];
  const lora = await open({
    [`lora_te1_${layer}.lora_down.weight`]: matrix("a", 2, shape[1]),
    [`lora_te1_${layer}.lora_up.weight`]: matrix("b", shape[0], 2),
    ...pairs([LINEAR], kohya),
  });
  const both = mergeLora(model(sdxl), lora);
  const name = "text_model.encoder.layers.1.mlp.fc1.weight";
  assert.equal([both.layers, both.passedOver], [2, []]);
  const { data } = await both.model.parts.text_encoder!.tensors[name].read();
  assert.not.equal(data, sdxl.text_encoder[name].data);
  const { unet } = sdxl;
  const alone = mergeLora(model({ unet }), lora);
  assert.equal([alone.layers, alone.passedOver], [1, [`lora_te1_${layer}`]]);
});

test("nothing is read before a merged tensor is, and two LoRAs add up", async () => {
  const lora = await open(pairs([LINEAR], kohya));
  const once = mergeLora(model(sdxl), lora).model;
  const twice = mergeLora(once, lora, -1).model;
  const name = `${LINEAR}.weight`;
  const before = sdxl.unet[name].data as Float32Array;
  const after = (await twice.parts.unet!.tensors[name].read()).data as Float32Array;
  assert.ok(after.every((value, i) => Math.abs(value - before[i]) < 1e-6));
  const silent = {
    ...lora,
    pairs: lora.pairs.map((pair) => ({ ...pair, up: { ...pair.up, read: () => Promise.reject(new Error("read")) } })),
  };
  mergeLora(model(sdxl), silent);
});

test("half-precision weights are merged as float32", async () => {
  const half = { ...sdxl.unet, [`${LINEAR}.weight`]: f16(sdxl.unet[`${LINEAR}.weight`]) };
  const { parts } = mergeLora(model({ unet: half }), await open(pairs([LINEAR], kohya))).model;
  const tensor = parts.unet!.tensors[`${LINEAR}.weight`];
  assert.equal([tensor.dtype, (await tensor.read()).dtype], ["F32", "F32"]);
  assert.is(parts.unet!.tensors[`${OUT}.weight`].dtype, "F32");
});

test("a LoRA for another base is refused with every layer that does not fit", async () => {
  const lora = await open(pairs(ALL, kohya));
  const error = thrown(() => mergeLora(model({ unet: tensorsOf(TINY_SD15) }), lora));
  assert.is(error.code, "E_CHECKPOINT");
  assert.match(error.message, /^Cannot add l\.safetensors to base: .*down_blocks_1_attentions_0/);
  const report = (error.cause as Error).message.split("\n");
  assert.is(report.length, 2);
  assert.match(report[0], /attn2_to_k is \[16, 6\] × \[6, 32\], the model has \[16, 12\]/);
  assert.match(report[1], /unexpected lora_unet_mid_block_attentions_0_transformer_blocks_1/);
});

test("what is no LoRA of two matrices is refused by what it is", async () => {
  const down = matrix("d", 4, 8);
  const refusal = async (tensors: Stored) => (await rejected(open(tensors))).message;
  assert.match(await refusal({ "x.hada_w1_a": down }), /it is a LoHa \(x\.hada_w1_a\)/);
  assert.match(await refusal({ "x.lora_down.weight": down, "x.dora_scale": down }), /it is a DoRA/);
  assert.match(await refusal({ "x.lora_down.weight": down }), /x has no matrix "up"/);
  assert.match(await refusal({ "conv_in.weight": down }), /none of its tensors has a name of a LoRA/);
  const wide = { "x.lora_down.weight": down, "x.lora_up.weight": matrix("u", 8, 5) };
  assert.match(await refusal(wide), /x has matrices \[4, 8\] and \[8, 5\]/);
  const odd = { "x.lora_down.weight": down, "x.lora_up.weight": matrix("u", 8, 4), "x.alpha": scalar(Number.NaN) };
  assert.match(await refusal(odd), /the alpha of x is NaN/);
});

function f16({ shape, data }: StoredTensor): StoredTensor {
  return { dtype: "F16", shape, data: new Uint16Array(data.length) };
}

test.run();
