/** DiT by the names of facebookresearch/DiT, whether its file has those or the names of diffusers. */
import { failure } from "../../../core/errors.ts";
import type { ModelPart } from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { stacked } from "./derivedEntry.ts";

type Tensors = ModelPart["tensors"];

/** Names that each form has, and no other transformer. */
const OFFICIAL = ["x_embedder.proj.weight", "blocks.0.adaLN_modulation.1.weight", "final_layer.linear.weight"];
const DIFFUSERS = ["pos_embed.proj.weight", "transformer_blocks.0.norm1.emb.timestep_embedder.linear_1.weight"];

const hasAll = (tensors: Tensors, names: readonly string[]) => names.every((name) => Object.hasOwn(tensors, name));

/** Whether tensors are those of a DiT. */
export const isDit = (tensors: Tensors): boolean => hasAll(tensors, OFFICIAL) || hasAll(tensors, DIFFUSERS);

/** Layers outside blocks, and inside them, by the name that diffusers has. */
const LAYERS: Readonly<Record<string, string>> = {
  "pos_embed.proj": "x_embedder.proj",
  proj_out_1: "final_layer.adaLN_modulation.1",
  proj_out_2: "final_layer.linear",
};
const IN_BLOCKS: Readonly<Record<string, string>> = {
  "norm1.linear": "adaLN_modulation.1",
  "attn1.to_out.0": "attn.proj",
  "ff.net.0.proj": "mlp.fc1",
  "ff.net.2": "mlp.fc2",
};
/** Layers of which diffusers keeps a copy in every block. */
const COPIED: Readonly<Record<string, string>> = {
  "norm1.emb.timestep_embedder.linear_1": "t_embedder.mlp.0",
  "norm1.emb.timestep_embedder.linear_2": "t_embedder.mlp.2",
  "norm1.emb.class_embedder.embedding_table": "y_embedder.embedding_table",
};

const own = (table: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** By the official names; tensors that have none keep theirs. @throws E_CHECKPOINT where queries, keys and values do not fit */
export function officialDit(tensors: Tensors): Record<string, FileEntry> {
  const named: Record<string, FileEntry> = Object.create(null);
  if (!hasAll(tensors, DIFFUSERS)) return Object.assign(named, tensors);
  for (const [name, entry] of Object.entries(tensors)) {
    const { layer, kind, block } = partsOf(name);
    const projection = /^attn1\.to_([qkv])$/.exec(layer)?.[1];
    const copied = own(COPIED, layer);
    if (block === undefined) named[own(LAYERS, layer) === undefined ? name : `${LAYERS[layer]}.${kind}`] = entry;
    else if (projection === "q") named[`blocks.${block}.attn.qkv.${kind}`] = joined(tensors, block, kind);
    else if (projection !== undefined) continue;
    else if (copied === undefined) named[`blocks.${block}.${own(IN_BLOCKS, layer) ?? layer}.${kind}`] = entry;
    else if (block === "0") named[`${copied}.${kind}`] = theSame(tensors, `${layer}.${kind}`);
  }
  return named;
}

/** `transformer_blocks.3.ff.net.2.weight` is the `weight` of `ff.net.2` in block 3. */
function partsOf(name: string): { readonly layer: string; readonly kind: string; readonly block?: string } {
  const [, block, path = name] = /^transformer_blocks\.(\d+)\.(.+)$/.exec(name) ?? [];
  const end = path.lastIndexOf(".");
  return { layer: path.slice(0, Math.max(end, 0)), kind: path.slice(end + 1), block };
}

/** Queries, keys and values of a block one after the other. */
function joined(tensors: Tensors, block: string, kind: string): FileEntry {
  const names = ["q", "k", "v"].map((part) => `transformer_blocks.${block}.attn1.to_${part}.${kind}`);
  const missing = names.find((name) => !Object.hasOwn(tensors, name));
  if (missing) throw failure("E_CHECKPOINT", `Cannot read a DiT: it has no ${missing}`);
  return stacked(
    names.map((name) => tensors[name]),
    `blocks.${block}.attn.qkv.${kind}`,
  );
}

/**
 * What every block keeps a copy of, from the first: one layer in the official code. Reading it throws E_CHECKPOINT where a copy is
 * another, as after training in which each block learned on its own.
 */
function theSame(tensors: Tensors, name: string): FileEntry {
  const copies = Object.keys(tensors).filter(
    (each) => each.startsWith("transformer_blocks.") && each.endsWith(`.${name}`),
  );
  const first = tensors[`transformer_blocks.0.${name}`];
  return {
    dtype: first.dtype,
    shape: first.shape,
    async read() {
      const tensor = await first.read();
      for (const copy of copies) {
        const { data } = await tensors[copy].read();
        if (data.length !== tensor.data.length || data.some((value, i) => value !== tensor.data[i]))
          throw failure(
            "E_CHECKPOINT",
            `Cannot read a DiT: ${copy} differs from that of block 0, the embedder should be the same in all blocks`,
          );
      }
      return tensor;
    },
  };
}
