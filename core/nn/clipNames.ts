import type { Shape } from "../tensor/shape.ts";

/** CLIP networks: B and L are OpenAI's, H and g OpenCLIP's. */
export const CLIP_NETWORKS = ["ViT-B/32", "ViT-B/16", "ViT-L/14", "ViT-L/14@336px", "ViT-H/14", "ViT-g/14"] as const;
/** One of `CLIP_NETWORKS`. */
export type ClipNetwork = (typeof CLIP_NETWORKS)[number];

/** Tensors of a file by name. */
type Named = Readonly<Record<string, { readonly shape: Shape; readonly data: Float32Array }>>;

/** Prefixes and whole names of OpenAI's files, and what transformers calls them. */
const PREFIXES: readonly (readonly [string, string])[] = [
  ["visual.transformer.resblocks.", "vision_model.encoder.layers."],
  ["transformer.resblocks.", "text_model.encoder.layers."],
  ["visual.class_embedding", "vision_model.embeddings.class_embedding"],
  ["visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"],
  ["visual.conv1.", "vision_model.embeddings.patch_embedding."],
  ["visual.ln_pre.", "vision_model.pre_layrnorm."],
  ["visual.ln_post.", "vision_model.post_layernorm."],
  ["token_embedding.", "text_model.embeddings.token_embedding."],
  ["positional_embedding", "text_model.embeddings.position_embedding.weight"],
  ["ln_final.", "text_model.final_layer_norm."],
];

/** Parts of a layer. */
const PARTS: readonly (readonly [string, string])[] = [
  [".ln_1.", ".layer_norm1."],
  [".ln_2.", ".layer_norm2."],
  [".attn.out_proj.", ".self_attn.out_proj."],
  [".mlp.c_fc.", ".mlp.fc1."],
  [".mlp.c_proj.", ".mlp.fc2."],
];

/** Projections that OpenAI keeps as [width, projected] and transformers as a layer's weight. */
const PROJECTIONS: Readonly<Record<string, string>> = {
  "visual.proj": "visual_projection.weight",
  text_projection: "text_projection.weight",
};

/** Where a tensor of one naming is found in the other: as it is, turned by 90°, or as the first, second or last third of its rows. */
export interface ClipPlace {
  readonly name: string;
  readonly turned?: boolean;
  readonly third?: 0 | 1 | 2;
}

const JOINT = /^(.*)\.attn\.in_proj_(weight|bias)$/;
const THIRD = /^(.*)\.self_attn\.([qkv])_proj\.(weight|bias)$/;

/**
 * What transformers calls the parts of a tensor of OpenAI's or OpenCLIP's: three of
 * `transformer.resblocks.0.attn.in_proj_weight`, one of others. Undefined for names of neither tower.
 */
export function transformersPlaces(name: string): readonly ClipPlace[] | undefined {
  const projection = Object.hasOwn(PROJECTIONS, name) ? PROJECTIONS[name] : undefined;
  if (projection) return [{ name: projection, turned: true }];
  const prefix = PREFIXES.find(([from]) => name === from || (from.endsWith(".") && name.startsWith(from)));
  if (!prefix) return undefined;
  const whole = prefix[1] + name.slice(prefix[0].length);
  const joint = JOINT.exec(whole);
  if (joint)
    return ([0, 1, 2] as const).map((third) => ({
      name: `${joint[1]}.self_attn.${"qkv"[third]}_proj.${joint[2]}`,
      third,
    }));
  return [{ name: PARTS.reduce((all, [from, to]) => all.replace(from, to), whole) }];
}

/** The reverse: where OpenCLIP keeps a tensor of transformers' names; undefined for names of neither tower. */
export function openClipPlace(name: string): ClipPlace | undefined {
  const projection = Object.keys(PROJECTIONS).find((each) => PROJECTIONS[each] === name);
  if (projection) return { name: projection, turned: true };
  const prefix = PREFIXES.find(([, to]) => name === to || (to.endsWith(".") && name.startsWith(to)));
  if (!prefix) return undefined;
  const whole = prefix[0] + name.slice(prefix[1].length);
  const third = THIRD.exec(whole);
  if (third) return { name: `${third[1]}.attn.in_proj_${third[3]}`, third: "qkv".indexOf(third[2]) as 0 | 1 | 2 };
  return { name: PARTS.reduce((all, [from, to]) => all.replace(to, from), whole) };
}

/**
 * Parameters of CLIP's towers under the names of transformers, whatever file they come from: OpenAI's and OpenCLIP's
 * `visual.transformer.resblocks.0.attn.in_proj_weight` becomes the weights of `q_proj`, `k_proj` and `v_proj`, its thirds.
 * Tensors that have other names keep them.
 */
export function clipByTransformersNames(tensors: Named): Named {
  const entries = Object.entries(tensors).flatMap(([name, tensor]): [string, Named[string]][] =>
    (transformersPlaces(name) ?? [{ name }]).map((place) => [place.name, taken(tensor, place)]),
  );
  return Object.fromEntries(entries);
}

function taken(tensor: Named[string], { turned: isTurned, third }: ClipPlace): Named[string] {
  if (isTurned) return turned(tensor);
  if (third === undefined) return tensor;
  const [rows, ...rest] = tensor.shape;
  const size = tensor.data.length / 3;
  return { shape: [rows / 3, ...rest], data: tensor.data.subarray(third * size, (third + 1) * size) };
}

function turned({ shape: [rows, columns], data }: Named[string]): Named[string] {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return { shape: [columns, rows], data: out };
}
