/** What tiny models of Stable Diffusion are made of: the JSON files of real ones, with small numbers. */
import type { JsonObject, ModelPartName } from "../../core/interfaces/mod.ts";

/** Pairs of tokens that become one, in order. */
const MERGES = [
  "t h",
  "th e</w>",
  "i n",
  "a n",
  "o n",
  "e r",
  "r e",
  "o f</w>",
  "c a",
  "ca t</w>",
  "d o",
  "do g</w>",
  "o u",
  "h ou",
  "hou se</w>",
  "s e</w>",
];
/** Tokens: a sign for each byte within a word and at its end, the merged pairs, start and end. */
const VOCABULARY = 2 * 256 + MERGES.length + 2;

/** A whole model: the JSON file of each part, and what stands beside the parts. */
export interface TinyModel {
  readonly parts: Readonly<Partial<Record<ModelPartName, JsonObject>>>;
  readonly scheduler: JsonObject;
  readonly index: JsonObject;
  /** Folders of tokenizers, with the token that fills a row. */
  readonly tokenizers: Readonly<Record<string, string>>;
  readonly merges: readonly string[];
}

const text = (width: number, activation: string, projected?: number): JsonObject => ({
  architectures: [projected ? "CLIPTextModelWithProjection" : "CLIPTextModel"],
  model_type: "clip_text_model",
  vocab_size: VOCABULARY,
  hidden_size: width,
  num_hidden_layers: 2,
  num_attention_heads: 1,
  intermediate_size: 2 * width,
  max_position_embeddings: 77,
  projection_dim: projected ?? width,
  hidden_act: activation,
  layer_norm_eps: 1e-5,
  bos_token_id: 0,
  eos_token_id: 2,
  pad_token_id: 1,
});

const vae = (scale: number): JsonObject => ({
  _class_name: "AutoencoderKL",
  act_fn: "silu",
  block_out_channels: [32, 32, 32, 32],
  down_block_types: new Array(4).fill("DownEncoderBlock2D"),
  up_block_types: new Array(4).fill("UpDecoderBlock2D"),
  in_channels: 3,
  out_channels: 3,
  latent_channels: 4,
  layers_per_block: 1,
  norm_num_groups: 32,
  sample_size: 64,
  scaling_factor: scale,
});

const unet: JsonObject = {
  _class_name: "UNet2DConditionModel",
  act_fn: "silu",
  center_input_sample: false,
  downsample_padding: 1,
  flip_sin_to_cos: true,
  freq_shift: 0,
  in_channels: 4,
  out_channels: 4,
  layers_per_block: 1,
  block_out_channels: [32, 64],
  mid_block_scale_factor: 1,
  norm_eps: 1e-5,
  norm_num_groups: 32,
  sample_size: 8,
};

const noise: JsonObject = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: "scaled_linear",
  num_train_timesteps: 1000,
  prediction_type: "epsilon",
  steps_offset: 1,
  clip_sample: false,
  trained_betas: null,
};

export const tinyModels: Readonly<Record<"sd15" | "sdxl", TinyModel>> = {
  sd15: {
    parts: {
      unet: {
        ...unet,
        attention_head_dim: 8,
        cross_attention_dim: 32,
        down_block_types: ["CrossAttnDownBlock2D", "DownBlock2D"],
        up_block_types: ["UpBlock2D", "CrossAttnUpBlock2D"],
      },
      vae: vae(0.18215),
      text_encoder: text(32, "quick_gelu"),
    },
    scheduler: { _class_name: "PNDMScheduler", ...noise, set_alpha_to_one: false, skip_prk_steps: true },
    index: {
      _class_name: "StableDiffusionPipeline",
      unet: ["diffusers", "UNet2DConditionModel"],
      vae: ["diffusers", "AutoencoderKL"],
      text_encoder: ["transformers", "CLIPTextModel"],
      tokenizer: ["transformers", "CLIPTokenizer"],
      scheduler: ["diffusers", "PNDMScheduler"],
      safety_checker: [null, null],
      feature_extractor: [null, null],
      requires_safety_checker: false,
    },
    tokenizers: { tokenizer: "<|endoftext|>" },
    merges: MERGES,
  },
  sdxl: {
    parts: {
      unet: {
        ...unet,
        addition_embed_type: "text_time",
        addition_time_embed_dim: 8,
        projection_class_embeddings_input_dim: 32 + 6 * 8,
        attention_head_dim: [1, 1],
        cross_attention_dim: 32 + 48,
        down_block_types: ["DownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types: ["CrossAttnUpBlock2D", "UpBlock2D"],
        transformer_layers_per_block: [1, 2],
        use_linear_projection: true,
      },
      vae: { ...vae(0.13025), force_upcast: true },
      text_encoder: text(32, "quick_gelu"),
      text_encoder_2: text(48, "gelu", 32),
    },
    scheduler: {
      _class_name: "EulerDiscreteScheduler",
      ...noise,
      interpolation_type: "linear",
      timestep_spacing: "leading",
      use_karras_sigmas: false,
    },
    index: {
      _class_name: "StableDiffusionXLPipeline",
      force_zeros_for_empty_prompt: true,
      unet: ["diffusers", "UNet2DConditionModel"],
      vae: ["diffusers", "AutoencoderKL"],
      text_encoder: ["transformers", "CLIPTextModel"],
      text_encoder_2: ["transformers", "CLIPTextModelWithProjection"],
      tokenizer: ["transformers", "CLIPTokenizer"],
      tokenizer_2: ["transformers", "CLIPTokenizer"],
      scheduler: ["diffusers", "EulerDiscreteScheduler"],
    },
    tokenizers: { tokenizer: "<|endoftext|>", tokenizer_2: "!" },
    merges: MERGES,
  },
};
