import { failure } from "../../../core/errors.ts";

/** What a U-Net of diffusers is made of, as its plugin's options give it. */
export interface UNet2dOptions {
  readonly channels: readonly number[];
  readonly layersPerBlock: readonly number[];
  readonly downBlocks: readonly string[];
  readonly upBlocks: readonly string[];
  readonly heads: readonly number[];
  readonly transformerLayers: readonly number[];
  readonly groups: number;
  readonly eps: number;
  readonly linearProjection: boolean;
  readonly timeIdWidth: number;
  readonly guidanceWidth: number;
  readonly embeddingFirst: "cos" | "sin";
  readonly embeddingShift: number;
}

/** Kinds of resolution on the way down and up, by their names in diffusers. */
export const downBlocks = ["CrossAttnDownBlock2D", "DownBlock2D"] as const;
export const upBlocks = ["CrossAttnUpBlock2D", "UpBlock2D"] as const;

/** One resolution, on the way down or up. */
export interface Level {
  readonly channels: number;
  /** Residual blocks. */
  readonly blocks: number;
  /** Layers of the transformer after each residual block; 0 for none. */
  readonly transformer: number;
  /** Attention heads of a transformer. */
  readonly heads: number;
}

/** The levels in order of execution; all but the last of each way change the resolution at their end. */
export interface Plan {
  readonly down: readonly Level[];
  readonly middle: Level;
  readonly up: readonly Level[];
}

/** Lays the levels out. Throws E_OPTION when the lists do not go together. */
export function planLevels(options: UNet2dOptions): Plan {
  const { channels } = options;
  const levels = channels.length;
  const each = (name: "layersPerBlock" | "heads" | "transformerLayers"): readonly number[] => {
    const given = options[name];
    if (given.length === 1) return channels.map(() => given[0]);
    return sameLength(name, given);
  };
  const sameLength = <T>(name: string, given: readonly T[]): readonly T[] => {
    if (given.length !== levels || levels === 0)
      throw failure(
        "E_OPTION",
        `Cannot configure unet2d: ${name} has ${given.length} entries and channels ${levels}, should have one for each resolution`,
      );
    return given;
  };
  const [blocks, heads, layers] = [each("layersPerBlock"), each("heads"), each("transformerLayers")];
  const [downTypes, upTypes] = [sameLength("downBlocks", options.downBlocks), sameLength("upBlocks", options.upBlocks)];
  const level = (i: number, crosses: boolean, extra = 0): Level => ({
    channels: channels[i],
    blocks: blocks[i] + extra,
    transformer: crosses ? layers[i] : 0,
    heads: heads[i],
  });
  return {
    down: downTypes.map((type, i) => level(i, type === "CrossAttnDownBlock2D")),
    middle: level(levels - 1, true),
    up: upTypes.map((type, i) => level(levels - 1 - i, type === "CrossAttnUpBlock2D", 1)),
  };
}
