/** The U-Net of Stable Diffusion in CompVis' names (`input_blocks.1.0.in_layers.0`) and in those of diffusers. */
import type { Renaming } from "./renaming.ts";

/** Residual blocks of one resolution: whether a transformer follows each, and whether a change of resolution ends it. */
interface Level {
  readonly attends: readonly boolean[];
  readonly resamples: boolean;
}

/** The resolutions on the way down and up, in order of execution. */
interface UnetLevels {
  readonly down: readonly Level[];
  readonly up: readonly Level[];
}

const RESIDUAL = [
  ["in_layers.0", "norm1"],
  ["in_layers.2", "conv1"],
  ["emb_layers.1", "time_emb_proj"],
  ["out_layers.0", "norm2"],
  ["out_layers.3", "conv2"],
  ["skip_connection", "conv_shortcut"],
] as const;

const FIXED: readonly Renaming[] = [
  { original: "time_embed.0", diffusers: "time_embedding.linear_1" },
  { original: "time_embed.2", diffusers: "time_embedding.linear_2" },
  { original: "label_emb.0.0", diffusers: "add_embedding.linear_1" },
  { original: "label_emb.0.2", diffusers: "add_embedding.linear_2" },
  { original: "input_blocks.0.0", diffusers: "conv_in" },
  { original: "middle_block.0", diffusers: "mid_block.resnets.0", within: RESIDUAL },
  { original: "middle_block.1", diffusers: "mid_block.attentions.0" },
  { original: "middle_block.2", diffusers: "mid_block.resnets.1", within: RESIDUAL },
  { original: "out.0", diffusers: "conv_norm_out" },
  { original: "out.2", diffusers: "conv_out" },
];

/**
 * Names of all layers of a U-Net. CompVis counts blocks from the first to the last whatever the resolution, and gives what changes
 * it a number of its own on the way down, and the next place of the last block on the way up.
 * @param names of its parameters, in either naming
 */
export function unetRenamings(names: readonly string[]): Renaming[] {
  const { down, up } = names.some((name) => name.startsWith("input_blocks."))
    ? levelsOfOriginal(names)
    : levelsOf(names);
  const table = [...FIXED];
  let at = 1;
  for (const [level, { attends, resamples }] of down.entries()) {
    for (const [i, attention] of attends.entries()) {
      block(table, `input_blocks.${at}`, `down_blocks.${level}`, i, attention);
      at++;
    }
    if (resamples)
      table.push({ original: `input_blocks.${at++}.0.op`, diffusers: `down_blocks.${level}.downsamplers.0.conv` });
  }
  at = 0;
  for (const [level, { attends, resamples }] of up.entries())
    for (const [i, attention] of attends.entries()) {
      block(table, `output_blocks.${at}`, `up_blocks.${level}`, i, attention);
      if (resamples && i === attends.length - 1)
        table.push({
          original: `output_blocks.${at}.${attention ? 2 : 1}.conv`,
          diffusers: `up_blocks.${level}.upsamplers.0.conv`,
        });
      at++;
    }
  return table;
}

function block(table: Renaming[], original: string, diffusers: string, i: number, attention: boolean): void {
  table.push({ original: `${original}.0`, diffusers: `${diffusers}.resnets.${i}`, within: RESIDUAL });
  if (attention) table.push({ original: `${original}.1`, diffusers: `${diffusers}.attentions.${i}` });
}

/** Counts blocks by a parameter that each has: no more than there are names, whatever the names claim. */
function levelsOf(names: readonly string[]): UnetLevels {
  const has = new Set(names);
  const way = (blocks: string, resampler: string): Level[] => {
    const levels: Level[] = [];
    for (let level = 0; has.has(`${blocks}.${level}.resnets.0.norm1.weight`); level++) {
      const attends: boolean[] = [];
      for (let i = 0; has.has(`${blocks}.${level}.resnets.${i}.norm1.weight`); i++)
        attends.push(has.has(`${blocks}.${level}.attentions.${i}.norm.weight`));
      levels.push({ attends, resamples: has.has(`${blocks}.${level}.${resampler}.0.conv.weight`) });
    }
    return levels;
  };
  return { down: way("down_blocks", "downsamplers"), up: way("up_blocks", "upsamplers") };
}

function levelsOfOriginal(names: readonly string[]): UnetLevels {
  const has = new Set(names);
  const way = (blocks: string, first: number, ends: (at: string) => boolean): Level[] => {
    const levels: Level[] = [];
    let attends: boolean[] = [];
    let at = first;
    const end = (resamples: boolean) => {
      levels.push({ attends, resamples });
      attends = [];
    };
    for (; ; at++) {
      const here = `${blocks}.${at}`;
      const isBlock = has.has(`${here}.0.in_layers.0.weight`);
      if (isBlock) attends.push(has.has(`${here}.1.norm.weight`));
      if (ends(here)) end(true);
      else if (!isBlock) break;
    }
    if (attends.length > 0) end(false);
    return levels;
  };
  return {
    down: way("input_blocks", 1, (at) => has.has(`${at}.0.op.weight`)),
    up: way("output_blocks", 0, (at) => has.has(`${at}.1.conv.weight`) || has.has(`${at}.2.conv.weight`)),
  };
}
