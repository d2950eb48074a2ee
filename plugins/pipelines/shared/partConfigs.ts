/** What `config.json` would say of parts that came without one, as far as names and shapes tell, and as the models of their kind have it. */
import type { Architecture, JsonObject, ModelPart, ModelPartName } from "../../../core/interfaces/mod.ts";
import { textWidth } from "./architecture.ts";

type Tensors = ModelPart["tensors"];
type Parts = Readonly<Partial<Record<ModelPartName, ModelPart>>>;

/** Parts with a `config` each, where their architecture is known. */
export function withConfigs(parts: Parts, architecture: Architecture): Parts {
  const told: Partial<Record<ModelPartName, ModelPart>> = { ...parts };
  for (const name of ["vae", "text_encoder", "text_encoder_2", "unet"] as const) {
    const part = parts[name];
    if (!part || part.config) continue;
    const config = configOf(name, part.tensors, architecture, parts);
    if (config) told[name] = { ...part, config };
  }
  return told;
}

function configOf(
  name: ModelPartName,
  tensors: Tensors,
  architecture: Architecture,
  parts: Parts,
): JsonObject | undefined {
  if (name === "vae") return vaeConfig(tensors, architecture);
  if (name !== "unet") return textConfig(tensors, name === "text_encoder" && architecture !== "sd2");
  const isKnown = architecture === "sd15" || architecture === "sd2" || architecture === "sdxl";
  const second = parts.text_encoder_2?.tensors["text_projection.weight"];
  return isKnown ? unetConfig(tensors, architecture, second?.shape[0]) : undefined;
}

/** How many of `name(0)`, `name(1)`, … are there. */
function counted(tensors: Tensors, name: (i: number) => string): number {
  let count = 0;
  while (name(count) in tensors) count++;
  return count;
}

/** Width of an attention head, where heads do not have a fixed number. */
const HEAD = 64;
/** Channels of time ids and text at the entrance of SDXL's U-Net: six sizes of 256 beside 1280 of the text. */
const SIZE_IDS = 6;
const ID_WIDTH = 256;

/**
 * `UNet2DConditionModel`. Heads can't be told from shapes: eight in Stable Diffusion 1.x, of 64 channels each in later ones.
 * @param pooled width of the second text encoder's projection
 */
export function unetConfig(tensors: Tensors, architecture: Architecture, pooled?: number): JsonObject {
  const levels = counted(tensors, (i) => `down_blocks.${i}.resnets.0.conv1.weight`);
  const each = <T>(what: (level: number) => T): T[] => Array.from({ length: levels }, (_, level) => what(level));
  const channels = each((i) => tensors[`down_blocks.${i}.resnets.0.conv1.weight`].shape[0]);
  const attends = (way: string) => (i: number) => `${way}_blocks.${i}.attentions.0.norm.weight` in tensors;
  const depths = each((i) =>
    counted(tensors, (k) => `down_blocks.${i}.attentions.0.transformer_blocks.${k}.norm1.weight`),
  );
  const middle = counted(tensors, (k) => `mid_block.attentions.0.transformer_blocks.${k}.norm1.weight`);
  const depthOf = (i: number) => depths[i] || (i === levels - 1 && middle) || 1;
  const layers = each((i) => counted(tensors, (k) => `down_blocks.${i}.resnets.${k}.conv1.weight`));
  const projection =
    tensors["mid_block.attentions.0.proj_in.weight"] ?? tensors["down_blocks.1.attentions.0.proj_in.weight"];
  const heads = channels.map((width) => Math.max(1, Math.floor(width / HEAD)));
  const added = tensors["add_embedding.linear_1.weight"]?.shape[1];
  return {
    _class_name: "UNet2DConditionModel",
    sample_size: architecture === "sd15" ? 64 : architecture === "sd2" ? 96 : 128,
    in_channels: tensors["conv_in.weight"]?.shape[1],
    out_channels: tensors["conv_out.weight"]?.shape[0],
    block_out_channels: channels,
    layers_per_block: same(layers),
    down_block_types: each((i) => (attends("down")(i) ? "CrossAttnDownBlock2D" : "DownBlock2D")),
    mid_block_type: "UNetMidBlock2DCrossAttn",
    up_block_types: each((i) => (attends("up")(i) ? "CrossAttnUpBlock2D" : "UpBlock2D")),
    transformer_layers_per_block: same(each(depthOf)),
    attention_head_dim: architecture === "sd15" ? 8 : heads,
    cross_attention_dim: textWidth(tensors),
    use_linear_projection: projection?.shape.length === 2,
    norm_num_groups: 32,
    norm_eps: 1e-5,
    act_fn: "silu",
    flip_sin_to_cos: true,
    freq_shift: 0,
    center_input_sample: false,
    downsample_padding: 1,
    mid_block_scale_factor: 1,
    ...("time_embedding.cond_proj.weight" in tensors && {
      time_cond_proj_dim: tensors["time_embedding.cond_proj.weight"].shape[1],
    }),
    ...(added !== undefined && {
      addition_embed_type: "text_time",
      addition_time_embed_dim: pooled === undefined ? ID_WIDTH : (added - pooled) / SIZE_IDS,
      projection_class_embeddings_input_dim: added,
    }),
  };
}

/** A config with what only the options of the network `unet2d` say: none of it shows in shapes. */
export function withOptions(config: JsonObject, options: JsonObject): JsonObject {
  const { heads, groups, eps, timeIdWidth, embeddingFirst, embeddingShift } = options;
  const list = Array.isArray(heads) ? (heads as number[]) : undefined;
  return {
    ...config,
    ...(list && { attention_head_dim: list.length === 1 ? list[0] : list }),
    ...(groups !== undefined && { norm_num_groups: groups }),
    ...(eps !== undefined && { norm_eps: eps }),
    ...(embeddingFirst !== undefined && { flip_sin_to_cos: embeddingFirst === "cos" }),
    ...(embeddingShift !== undefined && { freq_shift: embeddingShift }),
    ...(timeIdWidth !== undefined && timeIdWidth !== 0 && { addition_time_embed_dim: timeIdWidth }),
  };
}

/** One number for a list of equal ones, as published files have it. */
const same = (values: readonly number[]): number | readonly number[] =>
  values.every((value) => value === values[0]) ? values[0] : values;

/** `AutoencoderKL`, or `AutoencoderTiny`. */
function vaeConfig(tensors: Tensors, architecture: Architecture): JsonObject | undefined {
  if ("decoder.layers.0.weight" in tensors)
    return {
      _class_name: "AutoencoderTiny",
      latent_channels: tensors["decoder.layers.0.weight"].shape[1],
      scaling_factor: 1,
    };
  const levels = counted(tensors, (i) => `encoder.down_blocks.${i}.resnets.0.conv1.weight`);
  if (levels === 0 || !("decoder.conv_out.weight" in tensors)) return undefined;
  const isXl = architecture === "sdxl";
  return {
    _class_name: "AutoencoderKL",
    in_channels: tensors["encoder.conv_in.weight"]?.shape[1],
    out_channels: tensors["decoder.conv_out.weight"].shape[0],
    latent_channels: tensors["decoder.conv_in.weight"]?.shape[1],
    block_out_channels: Array.from(
      { length: levels },
      (_, i) => tensors[`encoder.down_blocks.${i}.resnets.0.conv1.weight`].shape[0],
    ),
    layers_per_block: counted(tensors, (k) => `encoder.down_blocks.0.resnets.${k}.conv1.weight`),
    down_block_types: new Array(levels).fill("DownEncoderBlock2D"),
    up_block_types: new Array(levels).fill("UpDecoderBlock2D"),
    norm_num_groups: 32,
    act_fn: "silu",
    sample_size: isXl ? 1024 : 512,
    scaling_factor: isXl ? 0.13025 : 0.18215,
    ...(isXl && { force_upcast: true }),
  };
}

/** `CLIPTextModel`, with a projection where there is one. */
function textConfig(tensors: Tensors, isOpenAi: boolean): JsonObject | undefined {
  const tokens = tensors["text_model.embeddings.token_embedding.weight"];
  const places = tensors["text_model.embeddings.position_embedding.weight"];
  const inner = tensors["text_model.encoder.layers.0.mlp.fc1.weight"];
  if (!tokens || !places || !inner) return undefined;
  const [vocabulary, width] = tokens.shape;
  const projection = tensors["text_projection.weight"];
  return {
    architectures: [projection ? "CLIPTextModelWithProjection" : "CLIPTextModel"],
    model_type: "clip_text_model",
    vocab_size: vocabulary,
    hidden_size: width,
    num_hidden_layers: counted(tensors, (i) => `text_model.encoder.layers.${i}.mlp.fc1.weight`),
    num_attention_heads: Math.max(1, Math.floor(width / HEAD)),
    intermediate_size: inner.shape[0],
    max_position_embeddings: places.shape[0],
    projection_dim: projection?.shape[0] ?? width,
    hidden_act: isOpenAi ? "quick_gelu" : "gelu",
    layer_norm_eps: 1e-5,
    bos_token_id: 0,
    eos_token_id: 2,
    pad_token_id: 1,
  };
}
