import { suite } from "uvu";
import * as assert from "uvu/assert";
import { withConfigs } from "../../../../plugins/pipelines/shared/partConfigs.ts";
import { BIG_G, CLIP_L, KL, SDXL_UNET, type Shapes, textShapes, unetShapes, unread, vaeShapes } from "./models.ts";

const test = suite("plugins/pipelines/shared/partConfigs");

const part = (shapes: Shapes) => ({ from: "made up", tensors: unread(shapes) });
const picked = (config: unknown, expected: object) =>
  Object.fromEntries(Object.keys(expected).map((key) => [key, (config as Record<string, unknown>)[key]]));
const check = (config: unknown, expected: object) => assert.equal(picked(config, expected), expected);

// Expected values are those of the config.json files of stable-diffusion-v1-5 and stable-diffusion-xl-base-1.0.

test("Stable Diffusion 1.5", () => {
  const parts = {
    unet: part(unetShapes({}, { text: 768 })),
    vae: part(vaeShapes(KL)),
    text_encoder: part(textShapes(CLIP_L)),
  };
  const { unet, vae, text_encoder } = withConfigs(parts, "sd15");
  check(unet!.config, {
    block_out_channels: [320, 640, 1280, 1280],
    down_block_types: ["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
    up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    layers_per_block: 2,
    attention_head_dim: 8,
    cross_attention_dim: 768,
    in_channels: 4,
    out_channels: 4,
    sample_size: 64,
    use_linear_projection: false,
    transformer_layers_per_block: 1,
  });
  assert.not.ok("addition_embed_type" in unet!.config!);
  check(vae!.config, {
    block_out_channels: [128, 256, 512, 512],
    layers_per_block: 2,
    latent_channels: 4,
    in_channels: 3,
    out_channels: 3,
    sample_size: 512,
    scaling_factor: 0.18215,
  });
  check(text_encoder!.config, {
    architectures: ["CLIPTextModel"],
    hidden_size: 768,
    num_hidden_layers: 12,
    num_attention_heads: 12,
    intermediate_size: 3072,
    vocab_size: 49408,
    max_position_embeddings: 77,
    hidden_act: "quick_gelu",
    projection_dim: 768,
  });
});

test("SDXL", () => {
  const parts = {
    unet: part(unetShapes(SDXL_UNET, { text: 2048, pooled: 1280 })),
    vae: part(vaeShapes(KL)),
    text_encoder: part(textShapes(CLIP_L)),
    text_encoder_2: part(textShapes(BIG_G)),
  };
  const { unet, vae, text_encoder_2 } = withConfigs(parts, "sdxl");
  const expected = {
    block_out_channels: [320, 640, 1280],
    down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    up_block_types: ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    attention_head_dim: [5, 10, 20],
    transformer_layers_per_block: [1, 2, 10],
    cross_attention_dim: 2048,
    use_linear_projection: true,
    addition_embed_type: "text_time",
    addition_time_embed_dim: 256,
    projection_class_embeddings_input_dim: 2816,
    sample_size: 128,
  };
  check(unet!.config, expected);
  // The U-Net alone is told the same.
  check(withConfigs({ unet: parts.unet }, "sdxl").unet!.config, expected);
  check(vae!.config, { scaling_factor: 0.13025, force_upcast: true, sample_size: 1024 });
  check(text_encoder_2!.config, {
    architectures: ["CLIPTextModelWithProjection"],
    hidden_size: 1280,
    num_hidden_layers: 32,
    num_attention_heads: 20,
    intermediate_size: 5120,
    hidden_act: "gelu",
    projection_dim: 1280,
  });
});

test("settings that are given stay as they are, and an unknown network gets none", () => {
  const unet = { ...part(unetShapes({}, { text: 768 })), config: { mine: true } };
  assert.equal(withConfigs({ unet }, "sd15").unet!.config, { mine: true });
  assert.is(withConfigs({ unet: part({ "conv_in.weight": [1, 1, 3, 3] }) }, "unknown").unet!.config, undefined);
});

test.run();
