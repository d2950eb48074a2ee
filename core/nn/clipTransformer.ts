import { add, attention, gelu, quickGelu, reshape, transpose } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { linear } from "./linear.ts";
import { layerNorm } from "./norm.ts";
import type { Scope } from "./scope.ts";

/** Sizes of a CLIP tower, by the names of its `config.json`. */
export interface ClipTransformerOptions {
  /** `num_hidden_layers` */
  readonly layers: number;
  /** `num_attention_heads`; must divide the width. */
  readonly heads: number;
  /** `intermediate_size`, the width between the two linear layers. */
  readonly inner: number;
  /** `hidden_act`: OpenAI's towers have x·sigmoid(1.702 x), OpenCLIP's the exact GELU. */
  readonly activation: "quick_gelu" | "gelu";
  /** Added to the logits of attention, [N, N]; −∞ where a token must not look. */
  readonly mask?: Tensor;
}

/**
 * The layers of CLIP's towers, text and vision alike, each part with its layer norm before and a residual around:
 *   x += self_attn(layer_norm1 x);  x += mlp(layer_norm2 x)
 * x [B, N, D] → the states before the first layer and after each. Radford et al. 2021, arXiv:2103.00020; parameters below
 * `layers.0`, `layers.1`, … with the names of transformers.
 */
export function clipTransformer(scope: Scope, x: Tensor, options: ClipTransformerOptions): Tensor[] {
  const states = [x];
  for (let i = 0; i < options.layers; i++) states.push(clipLayer(scope.at("layers").at(i), states[i], options));
  return states;
}

function clipLayer(scope: Scope, x: Tensor, options: ClipTransformerOptions): Tensor {
  const D = x.shape[2];
  const h = add(x, clipAttention(scope.at("self_attn"), layerNorm(scope.at("layer_norm1"), x), options));
  const act = options.activation === "gelu" ? gelu : quickGelu;
  const mlp = scope.at("mlp");
  const inside = act(linear(mlp.at("fc1"), layerNorm(scope.at("layer_norm2"), h), options.inner));
  return add(h, linear(mlp.at("fc2"), inside, D));
}

function clipAttention(scope: Scope, x: Tensor, { heads, mask }: ClipTransformerOptions): Tensor {
  const [B, N, D] = x.shape;
  const [q, k, v] = ["q_proj", "k_proj", "v_proj"].map((name) =>
    transpose(reshape(linear(scope.at(name), x, D), [B, N, heads, D / heads]), [0, 2, 1, 3]),
  );
  const mixed = transpose(attention(q, k, v, { mask }), [0, 2, 1, 3]);
  return linear(scope.at("out_proj"), reshape(mixed, [B, N, D]), D);
}
