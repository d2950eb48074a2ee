import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { FileEntry } from "../../../../core/io/mod.ts";
import { isSingleFile, joinSingleFile, splitSingleFile } from "../../../../plugins/pipelines/shared/singleFile.ts";
import { thrown } from "../../../helpers/thrown.ts";
import {
  BIG_G,
  CLIP_L,
  entriesOf,
  KL,
  readAll,
  SDXL_UNET,
  type Shapes,
  TINY_SDXL,
  TINY_TEXT,
  TINY_TEXT_2,
  TINY_VAE,
  tensorsOf,
  textShapes,
  unetShapes,
  unread,
  vaeShapes,
} from "./models.ts";

const test = suite("plugins/pipelines/shared/singleFile");

const part = (shapes: Shapes) => ({ from: "made up", tensors: unread(shapes) });
const shapesOf = (entries: Readonly<Record<string, FileEntry>>): Shapes =>
  Object.fromEntries(Object.entries(entries).map(([name, { shape }]) => [name, shape]));
const sorted = (shapes: Shapes) => Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1));

test("Stable Diffusion 1.5 has the names and shapes of v1-5-pruned-emaonly, and comes back", () => {
  const parts = {
    unet: part(unetShapes({}, { text: 768 })),
    vae: part(vaeShapes(KL)),
    text_encoder: part(textShapes(CLIP_L)),
  };
  const joined = joinSingleFile(parts, "sd15");
  const shapes = shapesOf(joined);
  assert.is(Object.keys(shapes).length, 686 + 248 + 196);
  assert.ok(isSingleFile(Object.keys(shapes)));
  const unet = "model.diffusion_model";
  const known: Shapes = {
    [`${unet}.time_embed.0.weight`]: [1280, 320],
    [`${unet}.input_blocks.0.0.weight`]: [320, 4, 3, 3],
    [`${unet}.input_blocks.1.0.in_layers.2.weight`]: [320, 320, 3, 3],
    [`${unet}.input_blocks.1.1.proj_in.weight`]: [320, 320, 1, 1],
    [`${unet}.input_blocks.3.0.op.weight`]: [320, 320, 3, 3],
    [`${unet}.input_blocks.4.0.skip_connection.weight`]: [640, 320, 1, 1],
    [`${unet}.input_blocks.8.1.transformer_blocks.0.attn2.to_k.weight`]: [1280, 768],
    [`${unet}.input_blocks.11.0.out_layers.3.weight`]: [1280, 1280, 3, 3],
    [`${unet}.middle_block.1.transformer_blocks.0.ff.net.0.proj.weight`]: [10240, 1280],
    [`${unet}.output_blocks.0.0.emb_layers.1.weight`]: [1280, 1280],
    [`${unet}.output_blocks.2.1.conv.weight`]: [1280, 1280, 3, 3],
    [`${unet}.output_blocks.5.2.conv.weight`]: [1280, 1280, 3, 3],
    [`${unet}.output_blocks.8.2.conv.weight`]: [640, 640, 3, 3],
    [`${unet}.output_blocks.9.0.in_layers.0.weight`]: [960],
    [`${unet}.out.2.weight`]: [4, 320, 3, 3],
    "first_stage_model.encoder.down.1.block.0.nin_shortcut.weight": [256, 128, 1, 1],
    "first_stage_model.encoder.down.2.downsample.conv.weight": [512, 512, 3, 3],
    "first_stage_model.encoder.mid.attn_1.q.weight": [512, 512, 1, 1],
    "first_stage_model.decoder.mid.attn_1.proj_out.bias": [512],
    "first_stage_model.decoder.up.3.block.0.conv1.weight": [512, 512, 3, 3],
    "first_stage_model.decoder.up.0.block.0.nin_shortcut.weight": [128, 256, 1, 1],
    "first_stage_model.decoder.up.1.upsample.conv.weight": [256, 256, 3, 3],
    "first_stage_model.quant_conv.weight": [8, 8, 1, 1],
    "cond_stage_model.transformer.text_model.encoder.layers.11.mlp.fc1.weight": [3072, 768],
  };
  for (const [name, shape] of Object.entries(known)) assert.equal(shapes[name], shape, name);
  const split = splitSingleFile(joined, "sd.safetensors");
  for (const name of ["unet", "vae", "text_encoder"] as const)
    assert.equal(sorted(shapesOf(split[name]!.tensors)), sorted(shapesOf(parts[name].tensors)), name);
});

test("SDXL has the names and shapes of sd_xl_base_1.0, and comes back", () => {
  const parts = {
    unet: part(unetShapes(SDXL_UNET, { text: 2048, pooled: 1280 })),
    text_encoder: part(textShapes(CLIP_L)),
    text_encoder_2: part(textShapes(BIG_G)),
  };
  const joined = joinSingleFile(parts, "sdxl");
  const shapes = shapesOf(joined);
  const unet = "model.diffusion_model";
  const openClip = "conditioner.embedders.1.model";
  const known: Shapes = {
    [`${unet}.label_emb.0.0.weight`]: [1280, 2816],
    [`${unet}.input_blocks.3.0.op.weight`]: [320, 320, 3, 3],
    [`${unet}.input_blocks.4.1.proj_in.weight`]: [640, 640],
    [`${unet}.input_blocks.8.1.transformer_blocks.9.attn2.to_v.weight`]: [1280, 2048],
    [`${unet}.output_blocks.2.2.conv.weight`]: [1280, 1280, 3, 3],
    [`${unet}.output_blocks.5.2.conv.weight`]: [640, 640, 3, 3],
    [`${unet}.output_blocks.8.0.skip_connection.weight`]: [320, 640, 1, 1],
    "conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight": [49408, 768],
    [`${openClip}.positional_embedding`]: [77, 1280],
    [`${openClip}.token_embedding.weight`]: [49408, 1280],
    [`${openClip}.text_projection`]: [1280, 1280],
    [`${openClip}.ln_final.bias`]: [1280],
    [`${openClip}.transformer.resblocks.31.attn.in_proj_weight`]: [3840, 1280],
    [`${openClip}.transformer.resblocks.31.attn.in_proj_bias`]: [3840],
    [`${openClip}.transformer.resblocks.0.attn.out_proj.weight`]: [1280, 1280],
    [`${openClip}.transformer.resblocks.0.mlp.c_fc.weight`]: [5120, 1280],
    [`${openClip}.transformer.resblocks.0.ln_2.weight`]: [1280],
  };
  for (const [name, shape] of Object.entries(known)) assert.equal(shapes[name], shape, name);
  assert.is(Object.keys(shapes).length, 1680 + 196 + 517 - 32 * 4);
  const split = splitSingleFile(joined, "xl.safetensors");
  for (const name of ["unet", "text_encoder", "text_encoder_2"] as const)
    assert.equal(sorted(shapesOf(split[name]!.tensors)), sorted(shapesOf(parts[name].tensors)), name);
});

test("every number of a tiny model comes back, through fused and turned matrices", async () => {
  const shapes = { unet: TINY_SDXL, vae: TINY_VAE, text_encoder: TINY_TEXT, text_encoder_2: TINY_TEXT_2 };
  const stored = Object.fromEntries(Object.entries(shapes).map(([name, each]) => [name, tensorsOf(each)]));
  const parts = Object.fromEntries(
    Object.entries(stored).map(([name, tensors]) => [name, { from: name, tensors: entriesOf(tensors) }]),
  );
  const written = await readAll(joinSingleFile(parts, "sdxl"));
  const layer = "conditioner.embedders.1.model.transformer.resblocks.1.attn.in_proj_weight";
  const { q, v } = { q: "q_proj", v: "v_proj" };
  const own = (name: string) => stored.text_encoder_2[`text_model.encoder.layers.1.self_attn.${name}.weight`].data;
  assert.equal(written[layer].data.subarray(0, 400), own(q));
  assert.equal(written[layer].data.subarray(800), own(v));
  const projection = stored.text_encoder_2["text_projection.weight"].data;
  assert.is(written["conditioner.embedders.1.model.text_projection"].data[1], projection[20]);
  const split = splitSingleFile(entriesOf(written), "xl.safetensors");
  for (const [name, tensors] of Object.entries(stored))
    assert.equal({ ...(await readAll(split[name as "unet"]!.tensors)) }, tensors, name);
});

test("what the original file has beside the parts is passed over, and an unknown network refused", () => {
  const tensors = unread({
    "model.diffusion_model.input_blocks.0.0.weight": [8, 4, 3, 3],
    "model_ema.decay": [],
    betas: [1000],
    "cond_stage_model.transformer.text_model.embeddings.position_ids": [1, 77],
    "cond_stage_model.transformer.text_model.final_layer_norm.bias": [8],
  });
  const split = splitSingleFile(tensors, "x");
  assert.equal(Object.keys(split), ["unet", "text_encoder"]);
  assert.equal(Object.keys(split.text_encoder!.tensors), ["text_model.final_layer_norm.bias"]);
  const flux = unread({ "model.diffusion_model.double_blocks.0.img_attn.qkv.weight": [8, 8] });
  const { code, message } = thrown(() => splitSingleFile(flux, "flux.safetensors"));
  assert.is(code, "E_CHECKPOINT");
  assert.match(message, /U-Net in flux\.safetensors: 1 of its 1 tensors .*double_blocks/);
  assert.match(thrown(() => joinSingleFile({}, "edm")).message, /the model is edm, .* sd15 and sdxl/);
});

test("tensors of odd shapes are refused, not divided or turned", () => {
  const refusal = (name: string, shape: number[]) => {
    const tensors = unread({ [`conditioner.embedders.1.model.${name}`]: shape });
    const { code, message } = thrown(() => splitSingleFile(tensors, "x"));
    return `${code} ${message}`;
  };
  const layer = "transformer.resblocks.0.attn.in_proj_weight";
  assert.match(
    refusal(layer, [8, 2]),
    /^E_CHECKPOINT .*in_proj_weight: it is \[8, 2\], should be 3 parts of the same size/,
  );
  assert.match(refusal(layer, []), /it is \[\]/);
  assert.match(refusal("text_projection", [3]), /text_projection: it is \[3\], should be a matrix/);
  const attention = "first_stage_model.encoder.mid.attn_1.q.weight";
  const { vae } = splitSingleFile(unread({ [attention]: [2, 2, 3, 3] }), "x");
  assert.equal(vae!.tensors["encoder.mid_block.attentions.0.to_q.weight"].shape, [2, 2, 3, 3]);
});

test.run();
