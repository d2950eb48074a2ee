import {
  type ClipTransformerOptions,
  clipTransformer,
  layerNorm,
  linear,
  normal,
  type Scope,
} from "../../../core/nn/mod.ts";
import { add, broadcastTo, concat, conv2d, reshape, slice, transpose } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Sizes of a CLIP image tower, by the names of its `config.json`. */
export interface ClipVisionOptions extends Omit<ClipTransformerOptions, "mask"> {
  /** `hidden_size` */
  readonly width: number;
  /** `image_size`: height and width of the pictures in pixels. */
  readonly size: number;
  /** `patch_size`; must divide the size. */
  readonly patch: number;
  /** `projection_dim` */
  readonly projected: number;
}

/** What an image tower knows of pictures. */
export interface ClipVision {
  /** States before the first layer and after each, [B, 1 + patches, D]; the first token is the class token. */
  readonly states: readonly Tensor[];
  /** The class token after the last layer and its norm, projected into the space shared with texts [B, projected]. */
  readonly embeds: Tensor;
}

/**
 * CLIP's image tower, a vision transformer over patches. x [B, 3, size, size], normalised as the tower was trained. Parameters
 * have the names of transformers' `CLIPVisionModelWithProjection`, `pre_layrnorm` included. Radford et al. 2021,
 * arXiv:2103.00020; Dosovitskiy et al. 2020, arXiv:2010.11929.
 */
export function clipVision(scope: Scope, x: Tensor, options: ClipVisionOptions): ClipVision {
  const { width, patch, size, projected } = options;
  const [B] = x.shape;
  const patches = (size / patch) ** 2;
  const model = scope.at("vision_model");
  const embeddings = model.at("embeddings");
  const kernel = embeddings.at("patch_embedding").parameter("weight", [width, 3, patch, patch], normal(0.02));
  const seen = conv2d(x, kernel, { stride: [patch, patch], padding: [0, 0] });
  const tokens = transpose(reshape(seen, [B, width, patches]), [0, 2, 1]);
  const first = embeddings.parameter("class_embedding", [width], normal(0.02));
  const all = concat([broadcastTo(reshape(first, [1, 1, width]), { shape: [B, 1, width] }), tokens], 1);
  const places = embeddings.at("position_embedding").parameter("weight", [1 + patches, width], normal(0.02));
  const h = layerNorm(model.at("pre_layrnorm"), add(all, reshape(places, [1, 1 + patches, width])));
  const states = clipTransformer(model.at("encoder"), h, options);
  const classToken = slice(states[states.length - 1], { axis: 1, start: 0, end: 1 });
  const pooled = layerNorm(model.at("post_layernorm"), reshape(classToken, [B, width]));
  return { states, embeds: linear(scope.at("visual_projection"), pooled, projected, { bias: false }) };
}
