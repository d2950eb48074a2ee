/** What the tensors of a DiT, by the official names, say of its sizes. */
import { failure } from "../../../core/errors.ts";
import type { JsonObject, ModelPart } from "../../../core/interfaces/mod.ts";
import { numberOf, oneOf, settingsOf } from "./readSettings.ts";

/** A DiT as options of the network `dit`, and what it draws. */
export interface DitSizes {
  readonly options: {
    readonly width: number;
    readonly depth: number;
    readonly heads: number;
    readonly patch: number;
    readonly mlpRatio: number;
    readonly labelDropout: number;
    readonly learnSigma: boolean;
  };
  readonly channels: number;
  readonly classes: number;
  /** Latents on a side, where something says it. */
  readonly side?: number;
}

/** Width of an attention head, where only that of tokens is known: 72 in DiT-XL, 64 in the smaller ones. */
const headOf = (width: number): number => (width === 1152 ? 72 : 64);

/** In training, where a row stands for no class. */
const LABEL_DROPOUT = 0.1;

/**
 * @param config of diffusers, where there is one; it alone says how wide a head is
 * @throws E_CONFIG for settings of another network, E_CHECKPOINT for shapes that no DiT has
 */
export function ditSizes(part: ModelPart): DitSizes {
  const { from, tensors } = part;
  const { config, from: settings } = settingsOf(part);
  for (const [name, known] of Object.entries(KNOWN)) oneOf(settings, config, name, known);
  const shape = (name: string, rank: number): readonly number[] => {
    const found = Object.hasOwn(tensors, name) ? tensors[name].shape : undefined;
    if (found?.length === rank) return found;
    throw refused(from, `${name} is ${found ? `[${found.join(", ")}]` : "not there"}, should have ${rank} axes`);
  };
  const [width, channels, patch] = shape("x_embedder.proj.weight", 4);
  const [inner] = shape("blocks.0.mlp.fc1.weight", 2);
  const [outputs] = shape("final_layer.linear.weight", 2);
  let depth = 0;
  while (Object.hasOwn(tensors, `blocks.${depth}.attn.qkv.weight`)) depth++;
  const heads = headsOf(part, width);
  const learnSigma = outputs === 2 * channels * patch ** 2;
  if (depth === 0 || (!learnSigma && outputs !== channels * patch ** 2))
    throw refused(
      from,
      `it has ${depth} blocks and ${outputs} outputs for a patch of ${channels} x ${patch} x ${patch}`,
    );
  const hasClasses = Object.hasOwn(tensors, "y_embedder.embedding_table.weight");
  const rows = hasClasses ? shape("y_embedder.embedding_table.weight", 2)[0] : 0;
  const classes = Math.min(
    rows,
    numberOf(settings, config, "num_embeds_ada_norm", { min: 1, whole: true }) ?? rows - 1,
  );
  return {
    options: {
      width,
      depth,
      heads,
      patch,
      mlpRatio: inner / width,
      labelDropout: rows > classes ? LABEL_DROPOUT : 0,
      learnSigma,
    },
    channels,
    classes: Math.max(0, classes),
    side: numberOf(settings, config, "sample_size", { min: 1, whole: true }) ?? sideOf(tensors, patch),
  };
}

/** Settings of diffusers of which one value is this network. */
const KNOWN: JsonObject & Readonly<Record<string, string | boolean>> = {
  norm_type: "ada_norm_zero",
  activation_fn: "gelu-approximate",
  attention_bias: true,
  norm_elementwise_affine: false,
};

function headsOf(part: ModelPart, width: number): number {
  const { config, from } = settingsOf(part);
  const given = numberOf(from, config, "num_attention_heads", { min: 1, whole: true });
  const heads = given ?? width / headOf(width);
  if (Number.isInteger(heads)) return heads;
  throw refused(part.from, `its tokens are ${width} wide, which does not say how many attention heads it has`);
}

/** The places that the file holds are those of a square. */
function sideOf(tensors: ModelPart["tensors"], patch: number): number | undefined {
  const side = Object.hasOwn(tensors, "pos_embed") ? Math.sqrt(tensors.pos_embed.shape[1]) * patch : undefined;
  return Number.isInteger(side) ? side : undefined;
}

const refused = (from: string, why: string) =>
  failure("E_CHECKPOINT", `Cannot use ${from} as a DiT: ${why}`, {
    fix: "give weights of facebookresearch/DiT, or a folder in diffusers' layout with transformer/config.json",
  });
