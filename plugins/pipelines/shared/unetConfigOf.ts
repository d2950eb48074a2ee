/** The config of a U-Net whose weights came without one, by the names and shapes of its tensors. */
import type { JsonObject, ModelPart } from "../../../core/interfaces/mod.ts";

/** How many `…0.`, `…1.`, … there are, each with a tensor of that name; no more than there are names. */
const countOf = (tensors: ModelPart["tensors"], before: string, after: string): number => {
  let count = 0;
  while (Object.hasOwn(tensors, `${before}${count}${after}`)) count++;
  return count;
};

/**
 * What diffusers would have written. Heads leave no trace in the weights: SD 1.x has eight at every resolution, SD 2.x and SDXL one
 * for 64 channels.
 * @param pooled width of the pooled text, where the network is told one
 */
export function unetConfigOf(
  { tensors }: ModelPart,
  { heads, pooled }: { readonly heads: "eight" | "of64"; readonly pooled?: number },
): JsonObject {
  const shape = (name: string): readonly number[] => (Object.hasOwn(tensors, name) ? tensors[name].shape : []);
  const way = (blocks: string) =>
    Array.from({ length: countOf(tensors, `${blocks}.`, ".resnets.0.conv1.weight") }, (_, i) => {
      const at = `${blocks}.${i}`;
      return {
        channels: shape(`${at}.resnets.0.conv1.weight`)[0],
        resnets: countOf(tensors, `${at}.resnets.`, ".conv1.weight"),
        layers: countOf(tensors, `${at}.attentions.0.transformer_blocks.`, ".norm1.weight"),
      };
    });
  const [down, up] = [way("down_blocks"), way("up_blocks")];
  const middle = countOf(tensors, "mid_block.attentions.0.transformer_blocks.", ".norm1.weight");
  const layers = down.map((level, i) => (i === down.length - 1 ? middle : level.layers) || 1);
  const projection = shape("mid_block.attentions.0.proj_in.weight");
  const added = shape("add_embedding.linear_1.weight")[1];
  const conditioned = shape("time_embedding.cond_proj.weight")[1];
  return {
    block_out_channels: down.map((level) => level.channels),
    layers_per_block: down.map((level) => level.resnets),
    down_block_types: down.map((level) => (level.layers > 0 ? "CrossAttnDownBlock2D" : "DownBlock2D")),
    up_block_types: up.map((level) => (level.layers > 0 ? "CrossAttnUpBlock2D" : "UpBlock2D")),
    attention_head_dim: heads === "eight" ? 8 : down.map((level) => Math.max(1, Math.floor(level.channels / 64))),
    transformer_layers_per_block: layers,
    use_linear_projection: projection.length === 2,
    cross_attention_dim: shape("mid_block.attentions.0.transformer_blocks.0.attn2.to_k.weight")[1],
    in_channels: shape("conv_in.weight")[1],
    out_channels: shape("conv_out.weight")[0],
    ...(conditioned !== undefined && { time_cond_proj_dim: conditioned }),
    ...(added !== undefined && {
      addition_embed_type: "text_time",
      addition_time_embed_dim: Math.max(1, Math.floor((added - (pooled ?? 0)) / 6)),
      projection_class_embeddings_input_dim: added,
    }),
  };
}
