import {
  type ClipTransformerOptions,
  clipTransformer,
  layerNorm,
  linear,
  normal,
  type Scope,
} from "../../../core/nn/mod.ts";
import { add, argmax, constantArray, embedding, reshape, takeRows, toFloat } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Sizes of a CLIP text tower, by the names of its `config.json`. */
export interface ClipTextOptions extends Omit<ClipTransformerOptions, "mask"> {
  /** `vocab_size` */
  readonly vocabulary: number;
  /** `hidden_size` */
  readonly width: number;
  /** `max_position_embeddings`: the most tokens. */
  readonly positions: number;
  /** `projection_dim` of a tower that has a projection. */
  readonly projected?: number;
}

/** What a text tower knows of prompts [B, N]. */
export interface ClipText {
  /** States before the first layer and after each, [B, N, D]; the last but one is what SDXL is conditioned on. */
  readonly states: readonly Tensor[];
  /** The last state after the final layer norm [B, N, D]: what Stable Diffusion 1.x is conditioned on. */
  readonly last: Tensor;
  /** `last` at the end token, the first largest id of a prompt [B, D]. */
  readonly pooled: Tensor;
  /** `pooled` projected into the space that texts share with images [B, projected]. */
  readonly embeds?: Tensor;
}

/**
 * CLIP's text tower: tokens see those before them only. ids i32 [B, N]. Parameters have the names of transformers'
 * `CLIPTextModel` and `CLIPTextModelWithProjection`. Radford et al. 2021, arXiv:2103.00020.
 */
export function clipText(scope: Scope, ids: Tensor, options: ClipTextOptions): ClipText {
  const { vocabulary, width, positions, projected } = options;
  const [B, N] = ids.shape;
  const model = scope.at("text_model");
  const embeddings = model.at("embeddings");
  const tokens = embeddings.at("token_embedding").parameter("weight", [vocabulary, width], normal(0.02));
  const places = embeddings.at("position_embedding").parameter("weight", [positions, width], normal(0.01));
  const order = constantArray(
    Int32Array.from({ length: N }, (_, n) => n),
    [N],
    "i32",
  );
  const x = add(embedding(tokens, ids), embedding(places, order));
  const states = clipTransformer(model.at("encoder"), x, { ...options, mask: causalMask(N) });
  const last = layerNorm(model.at("final_layer_norm"), states[states.length - 1]);
  const rows = constantArray(
    Int32Array.from({ length: B }, (_, b) => b * N),
    [B],
    "i32",
  );
  const pooled = takeRows(reshape(last, [B * N, width]), add(argmax(toFloat(ids)), rows));
  const embeds = projected ? linear(scope.at("text_projection"), pooled, projected, { bias: false }) : undefined;
  return { states, last, pooled, embeds };
}

/** 0 where token n may look at token m, m ≤ n, and −∞ elsewhere. */
function causalMask(N: number): Tensor {
  const mask = new Float64Array(N * N);
  for (let n = 0; n < N; n++) mask.fill(Number.NEGATIVE_INFINITY, n * N + n + 1, (n + 1) * N);
  return constantArray(mask, [N, N]);
}
