/** The autoencoder of Stable Diffusion in CompVis' names (`encoder.down.0.block.0`), diffusers' old ones, and those of today. */
import type { ModelPart } from "../../../core/interfaces/mod.ts";
import type { FileEntry } from "../../../core/io/mod.ts";
import { reshaped } from "./derivedEntry.ts";
import type { Renaming } from "./renaming.ts";

/** Resolutions, and blocks of one, at most, whatever a name claims. */
const MOST = 32;

const RESIDUAL = [["nin_shortcut", "conv_shortcut"]] as const;
const ATTENTION = [
  ["norm", "group_norm"],
  ["q", "to_q"],
  ["k", "to_k"],
  ["v", "to_v"],
  ["proj_out", "to_out.0"],
] as const;
/** Names of the same layers in diffusers before 0.18, and in those of today. */
const OLD_ATTENTION: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  query: "to_q",
  key: "to_k",
  value: "to_v",
  proj_attn: "to_out.0",
});

/**
 * Names of all layers of an autoencoder. CompVis counts the resolutions of the decoder from the picture, diffusers from the latents.
 * @param names of its parameters, in either naming
 */
export function vaeRenamings(names: readonly string[]): Renaming[] {
  const count = (pattern: RegExp) =>
    names.reduce((most, name) => Math.max(most, Number(pattern.exec(name)?.[1] ?? -1)), -1) + 1;
  const most = (...patterns: RegExp[]) => Math.min(MOST, Math.max(...patterns.map(count)));
  const levels = most(/^encoder\.down(?:_blocks)?\.(\d+)\./, /^decoder\.up(?:_blocks)?\.(\d+)\./);
  const blocks = most(/^(?:en|de)coder\.\w+\.\d+\.(?:block|resnets)\.(\d+)\./);
  const has = new Set(names);
  const table: Renaming[] = [];
  for (const side of ["encoder", "decoder"]) {
    const [original, diffusers] = side === "encoder" ? ["down", "down_blocks"] : ["up", "up_blocks"];
    const [resampler, resamplers] = side === "encoder" ? ["downsample", "downsamplers"] : ["upsample", "upsamplers"];
    for (let level = 0; level < levels; level++) {
      const theirs = `${side}.${original}.${side === "encoder" ? level : levels - 1 - level}`;
      const ours = `${side}.${diffusers}.${level}`;
      for (let i = 0; i < blocks; i++)
        if (has.has(`${theirs}.block.${i}.norm1.weight`) || has.has(`${ours}.resnets.${i}.norm1.weight`))
          table.push({ original: `${theirs}.block.${i}`, diffusers: `${ours}.resnets.${i}`, within: RESIDUAL });
      table.push({ original: `${theirs}.${resampler}.conv`, diffusers: `${ours}.${resamplers}.0.conv` });
    }
    table.push(
      { original: `${side}.conv_in`, diffusers: `${side}.conv_in` },
      { original: `${side}.mid.block_1`, diffusers: `${side}.mid_block.resnets.0`, within: RESIDUAL },
      { original: `${side}.mid.attn_1`, diffusers: `${side}.mid_block.attentions.0`, within: ATTENTION },
      { original: `${side}.mid.block_2`, diffusers: `${side}.mid_block.resnets.1`, within: RESIDUAL },
      { original: `${side}.norm_out`, diffusers: `${side}.conv_norm_out` },
      { original: `${side}.conv_out`, diffusers: `${side}.conv_out` },
    );
  }
  for (const name of ["quant_conv", "post_quant_conv"]) table.push({ original: name, diffusers: name });
  return table;
}

/** Whether a parameter is a matrix of the attention in the middle, which CompVis keeps as a convolution of 1 × 1. */
export const isAttentionMatrix = (name: string): boolean =>
  /\.mid_block\.attentions\.\d+\.(to_q|to_k|to_v|to_out\.0)\.weight$/.test(name);

/** An autoencoder of diffusers with the names and shapes of today, whichever version wrote it. */
export function modernVae(tensors: ModelPart["tensors"]): Record<string, FileEntry> {
  const modern: Record<string, FileEntry> = Object.create(null);
  for (const [name, entry] of Object.entries(tensors)) {
    const renamed = name.replace(
      /(\.mid_block\.attentions\.\d+\.)(\w+)(\.(?:weight|bias))$/,
      (whole, before, layer, after) => (layer in OLD_ATTENTION ? before + OLD_ATTENTION[layer] + after : whole),
    );
    const isConvolution = isAttentionMatrix(renamed) && entry.shape.slice(2).join() === "1,1";
    modern[renamed] = isConvolution ? reshaped(entry, entry.shape.slice(0, 2)) : entry;
  }
  return modern;
}
