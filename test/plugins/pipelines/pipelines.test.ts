// sd15 and sdxl over the JSON files of the published models: traced, not computed.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Container } from "../../../core/di/mod.ts";
import { placeholders } from "../../../core/diffusion/mod.ts";
import {
  type JsonObject,
  type ModelPart,
  NETWORK,
  PIPELINE,
  type PipelineModel,
} from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { layoutOf } from "../../../core/nn/mod.ts";
import { input } from "../../../core/ops/mod.ts";
import { unet2d } from "../../../plugins/networks/unet2d.ts";
import { sd15 } from "../../../plugins/pipelines/sd15.ts";
import { sdxl } from "../../../plugins/pipelines/sdxl.ts";
import { autoencoderOf } from "../../../plugins/pipelines/shared/autoencoderOf.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { thrown } from "../../helpers/thrown.ts";
import { compose } from "../support.ts";
import { EULER, PNDM, SD15, SDXL, TAESD, withoutTensors } from "./published.ts";

const test = suite("plugins/pipelines");

const open = (plugin: typeof sd15 | typeof sdxl, parts: ReturnType<typeof withoutTensors>): PipelineModel => {
  const container = new Container();
  plugin().install(container);
  const pipeline = container.get(PIPELINE);
  assert.ok(pipeline.reads(parts));
  return pipeline.open(parts, memoryFiles());
};
const openSd15 = (unet: JsonObject = {}, scheduler: JsonObject = PNDM) =>
  open(sd15, withoutTensors("sd15", { ...SD15, unet: { ...SD15.unet, ...unet } }, { scheduler }));
const openSdxl = (modelIndex: JsonObject = {}) =>
  open(sdxl, withoutTensors("sdxl", SDXL, { scheduler: EULER, modelIndex }));

/** Parameters of the U-Net, and of each text encoder as it is on its own. */
function countsOf(model: PipelineModel) {
  const { use: _, ...options } = model.config.network;
  const shape = model.shape({ size: { width: 64, height: 64 } });
  const network = compose(shape, unet2d.configure(options)).get(NETWORK);
  const { x, sigma, condition } = placeholders(shape);
  return {
    unet: layoutOf((scope) => void network.apply(scope, x, sigma, condition)).count,
    texts: model.encoders.map(
      ({ bind, context }) => layoutOf((scope) => void bind(scope).encode(input("ids", [1, context], "i32"))).count,
    ),
  };
}

test("a setting that can't be is said to be in config.json, before a network is made", () => {
  const refused = (unet: JsonObject) => thrown(() => openSd15(unet));
  const { code, message } = refused({ norm_num_groups: 48 });
  assert.is(code, "E_CONFIG");
  assert.match(message, /config\.json: norm_num_groups is 48, should be a divisor of 320, 640, 1280, 1280/);
  const vae = (config: JsonObject) => {
    const model = withoutTensors("sd15", { ...SD15, vae: { ...SD15.vae, ...config } }, { scheduler: PNDM });
    return thrown(() => open(sd15, model)).message;
  };
  assert.match(vae({ in_channels: 1 }), /config\.json: in_channels is 1, should be 3/);
  assert.match(vae({ norm_num_groups: 7 }), /norm_num_groups is 7, should be a divisor of 128, 256/);
});

test("the published settings make networks of the published sizes", () => {
  assert.equal(countsOf(openSd15()), { unet: 859_520_964, texts: [123_060_480] });
  assert.equal(countsOf(openSdxl()), { unet: 2_567_463_684, texts: [123_060_480, 694_659_840] });
  for (const [config, count] of [
    [SD15.vae!, 83_653_863],
    [TAESD, 2_445_063],
  ] as const) {
    // Nothing is read of it: its name says which of both it is.
    const tensors: ModelPart["tensors"] = config === TAESD ? { "decoder.layers.0.weight": {} as FileEntry } : {};
    const { bind } = autoencoderOf({ from: "vae", config, tensors });
    const both = layoutOf((scope) => {
      bind(scope).encode(input("x", [1, 3, 16, 16]));
      bind(scope).decode(input("z", [1, 4, 2, 2]));
    });
    assert.is(both.count, count);
  }
});

test("SD 1.5 and SDXL: sizes, processes, samplers, guidance, and what stands for no text", () => {
  const noise = { use: "discrete", curve: "scaledLinear", betaStart: 0.00085, betaEnd: 0.012, count: 1000 };
  const process = { ...noise, zeroTerminalSnr: false, prediction: "epsilon" };
  const first = openSd15();
  assert.equal(first.size, { width: 512, height: 512 });
  assert.equal(first.config.process, process);
  assert.equal(first.config.sampler, { steps: 50, use: "pndm", spacing: "leading", offset: 1, endAtFirst: true });
  assert.equal([first.guidanceScale, first.emptyText, first.autoencoder?.tile], [7.5, "", 64]);
  const shape = first.shape({ size: { width: 768, height: 512 }, negative: true });
  assert.equal(shape.sample, [4, 64, 96]);
  assert.equal(shape.condition, { text: { shape: [77, 768], dtype: "f32", empty: "stored" } });

  const second = openSdxl({ force_zeros_for_empty_prompt: true });
  assert.equal(second.size, { width: 1024, height: 1024 });
  assert.equal(second.config.process, process);
  assert.equal(second.config.sampler, { steps: 50, use: "euler", spacing: "leading", offset: 1 });
  assert.equal([second.guidanceScale, second.emptyText, second.autoencoder?.tile], [5, undefined, 96]);
  assert.equal(second.shape({ size: second.size }).condition, {
    text: { shape: [77, 2048], dtype: "f32", empty: "zero" },
    pooled: { shape: [1280], dtype: "f32", empty: "zero" },
    timeIds: { shape: [6], dtype: "f32", empty: "same" },
  });
  assert.is(openSdxl({ force_zeros_for_empty_prompt: false }).emptyText, "");
});

test("SDXL is told both texts side by side, the second's pooled one, and height before width", () => {
  const model = openSdxl();
  const rows = (count: number, width: number, value: number) => new Float32Array(count * width).fill(value);
  const { text, pooled, timeIds } = model.conditions({
    size: { width: 1152, height: 896 },
    count: 2,
    encoded: [{ text: rows(2 * 77, 768, 1) }, { text: rows(2 * 77, 1280, 2), pooled: rows(2, 1280, 3) }],
  });
  assert.equal([text.length, pooled.length], [2 * 77 * 2048, 2 * 1280]);
  for (const token of [0, 153])
    assert.equal([text[token * 2048 + 767], text[token * 2048 + 768], text[token * 2048 + 2047]], [1, 2, 2]);
  assert.equal([...timeIds], [896, 1152, 0, 0, 896, 1152, 896, 1152, 0, 0, 896, 1152]);
});

test("a latent consistency model is told the factor of guidance", () => {
  const model = openSd15({ time_cond_proj_dim: 256 });
  assert.ok(model.guidanceEmbedded);
  assert.is(countsOf(model).unet, 859_520_964 + 256 * 320);
  const size = model.size;
  assert.ok(model.shape({ size }).condition.guidance);
  const encoded = [{ text: new Float32Array(77 * 768) }];
  assert.equal([...model.conditions({ size, encoded, count: 1, guidanceScale: 8 }).guidance], [8]);
});

test("schedulers become samplers; what is not known is refused by name", () => {
  const samplerOf = (scheduler: JsonObject) => openSd15({}, { ...PNDM, ...scheduler }).config.sampler;
  assert.equal(samplerOf({ _class_name: "DDIMScheduler", set_alpha_to_one: true, clip_sample: true }), {
    steps: 50,
    use: "ddim",
    spacing: "leading",
    offset: 1,
    endAtFirst: false,
    clip: 1,
  });
  const karras = samplerOf({ _class_name: "DPMSolverMultistepScheduler", use_karras_sigmas: true });
  assert.is(karras.use, "dpm-solver");
  assert.ok(Math.abs((karras.sigmaMax as number) - 14.6146) < 1e-3 && (karras.sigmaMin as number) < 0.0292);
  assert.equal(samplerOf({ _class_name: "EulerAncestralDiscreteScheduler", timestep_spacing: "trailing" }), {
    steps: 50,
    use: "euler-ancestral",
    spacing: "trailing",
    offset: 1,
    startAtLevel: true,
  });
  assert.is(samplerOf({ _class_name: "EulerDiscreteScheduler", timestep_spacing: "leading" }).startAtLevel, undefined);
  const { process } = openSd15({}, { ...PNDM, prediction_type: "v_prediction", rescale_betas_zero_snr: true }).config;
  assert.equal([process.prediction, process.zeroTerminalSnr], ["velocity", true]);
  for (const [wrong, says] of [
    [{ _class_name: "UniPCMultistepScheduler" }, /_class_name is "UniPCMultistepScheduler", should be one of DDIM/],
    [{ _class_name: undefined }, /_class_name is undefined/],
    [{ _class_name: "__proto__" }, /_class_name is "__proto__"/],
    [{ skip_prk_steps: false }, /skip_prk_steps is false, should be true/],
    [{ prediction_type: "flow" }, /prediction_type is "flow", should be epsilon or v_prediction or sample/],
    [{ beta_schedule: "sigmoid" }, /beta_schedule is "sigmoid"/],
    [{ trained_betas: [0.1] }, /trained_betas is \[0\.1\], should be absent/],
    [{ beta_end: "1e-2" }, /beta_end is "1e-2", should be a number from 0/],
    [{ beta_end: 1.5 }, /beta_end 1\.5, should be below 1/],
    [{ num_train_timesteps: 1e9 }, /num_train_timesteps is 1000000000, should be a whole number from 1 to 100000/],
    [{ timestep_spacing: "cosine" }, /timestep_spacing is "cosine"/],
  ] as const) {
    const error = thrown(() => openSd15({}, { ...PNDM, ...wrong }));
    assert.is(error.code, "E_CONFIG", error.message);
    assert.match(error.message, says);
  }
});

test("networks of another make are refused by the setting that differs", () => {
  for (const [wrong, says] of [
    [{ in_channels: 9 }, /in_channels is 9/],
    [{ class_embed_type: "timestep" }, /class_embed_type is "timestep", should be absent/],
    [{ act_fn: "gelu" }, /act_fn is "gelu", should be silu/],
    [{ block_out_channels: [320, -1] }, /block_out_channels is \[320,-1\]/],
    [{ block_out_channels: new Array(1e5).fill(8) }, /block_out_channels is \[8,8.*…/],
    [{ layers_per_block: 1e9 }, /layers_per_block is 1000000000, should be a whole number from 1 to 200, or a list/],
    [{ down_block_types: { length: 4 } }, /down_block_types/],
  ] as const) {
    const error = thrown(() => openSd15(wrong));
    assert.is(error.code, "E_CONFIG", error.message);
    assert.match(error.message, says);
  }
  const parts = withoutTensors("sd15", { ...SD15, text_encoder: SDXL.text_encoder_2 }, { scheduler: PNDM });
  const narrow = thrown(() => open(sd15, parts).encoders);
  assert.match(narrow.message, /looks at texts of width 768, its text encoders make 1280/);
});

test.run();
