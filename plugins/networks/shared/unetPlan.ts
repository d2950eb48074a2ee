import { failure } from "../../../core/errors.ts";
import { type BlockShape, unetGroups } from "../../../core/nn/mod.ts";
import { formatShape, type Shape } from "../../../core/tensor/mod.ts";

/** What decides the blocks of one of EDM's U-Nets. */
export interface UnetSettings {
  /** The plugin, for messages. */
  readonly name: string;
  /** Samples without the batch axis: [C, H, W]. */
  readonly sample: Shape;
  readonly channels: number;
  readonly channelMult: readonly number[];
  /** Channels of the first convolution. */
  readonly firstChannels: number;
  /** Width of the noise embedding. */
  readonly noiseChannels: number;
  readonly blocks: number;
  /** Resolutions with self-attention, by their height. */
  readonly attention: readonly number[];
  readonly resampleFilter: readonly number[];
  /** Attention heads of a block that has attention by its resolution, or lies in the middle. */
  readonly heads: (where: {
    readonly part: "encoder" | "middle" | "decoder";
    readonly channels: number;
    /** The last block of its resolution. */
    readonly last: boolean;
  }) => number;
}

/** A block before it meets its parameters. */
export interface PlannedBlock extends BlockShape {
  /** In the state dict, such as "16x16_block0". */
  readonly name: string;
  /** Height and width as in names, such as "16x16". */
  readonly at: string;
  /** Takes a skip connection from the encoder. */
  readonly joins: boolean;
  /** The last block of its resolution. */
  readonly last: boolean;
}

/** The blocks in order of execution. */
export interface UnetPlan {
  /** The first convolution. */
  readonly first: { readonly name: string; readonly channels: number };
  readonly encoder: readonly PlannedBlock[];
  readonly decoder: readonly PlannedBlock[];
}

/**
 * The blocks of a U-Net as NVlabs/edm lays them out: `blocks` at each resolution on the way down, one more on the way up,
 * where each takes the output of one block (or the first convolution) of the encoder.
 * @throws OptionError when the data do not fit the network, or its channels do not fit their groups and heads.
 */
export function unetPlan(settings: UnetSettings): UnetPlan {
  const { sample, channels, channelMult, firstChannels, blocks, attention, heads } = settings;
  checkSizes(settings);
  const levels = channelMult.map((factor, i) => {
    const [height, width] = [sample[1] / 2 ** i, sample[2] / 2 ** i];
    return { at: `${height}x${width}`, height, C: channels * factor };
  });
  const headsAt = (part: "encoder" | "decoder", { height, C }: Level, k: number, n: number) =>
    attention.includes(height) ? heads({ part, channels: C, last: k === n - 1 }) : 0;
  const encoder: PlannedBlock[] = [];
  const decoder: PlannedBlock[] = [];
  const plain = { joins: false, last: false, heads: 0 };

  for (const [i, level] of levels.entries()) {
    const { at, C } = level;
    if (i > 0)
      encoder.push({
        ...plain,
        name: `${at}_down`,
        at,
        channels: levels[i - 1].C,
        resample: "down",
      });
    for (let k = 0; k < blocks; k++)
      encoder.push({
        ...plain,
        name: `${at}_block${k}`,
        at,
        channels: C,
        last: k === blocks - 1,
        heads: headsAt("encoder", level, k, blocks),
      });
  }
  for (const [i, level] of [...levels.entries()].reverse()) {
    const { at, C } = level;
    if (i === levels.length - 1)
      decoder.push(
        {
          ...plain,
          name: `${at}_in0`,
          at,
          channels: C,
          heads: heads({ part: "middle", channels: C, last: false }),
        },
        { ...plain, name: `${at}_in1`, at, channels: C },
      );
    else decoder.push({ ...plain, name: `${at}_up`, at, channels: levels[i + 1].C, resample: "up" });
    for (let k = 0; k <= blocks; k++)
      decoder.push({
        name: `${at}_block${k}`,
        at,
        channels: C,
        joins: true,
        last: k === blocks,
        heads: headsAt("decoder", level, k, blocks + 1),
      });
  }
  const first = { name: `${levels[0].at}_conv`, channels: firstChannels };
  const plan = { first, encoder, decoder };
  checkChannels(settings, plan);
  return plan;
}

interface Level {
  readonly at: string;
  readonly height: number;
  /** Channels of its blocks. */
  readonly C: number;
}

/** Sizes that halve without a remainder, and options that mean something. */
function checkSizes({ name, sample, channelMult, attention, resampleFilter }: UnetSettings): void {
  const [, H, W] = sample;
  const levels = channelMult.length;
  const unit = 2 ** (levels - 1);
  if (sample.length !== 3 || levels === 0 || H % unit !== 0 || W % unit !== 0)
    throw failure(
      "E_OPTION",
      `Cannot use ${name} for samples ${formatShape(sample)}: channelMult has ${levels} levels, ` +
        `samples should be images [C, H, W] with H and W multiples of ${levels === 0 ? "2 for each level after the first" : unit}`,
      { fix: "shorten network.channelMult, or crop or resize the images; the dataset pictures has an option crop" },
    );
  const resolutions = channelMult.map((_, i) => H / 2 ** i);
  const absent = attention.filter((resolution) => !resolutions.includes(resolution));
  if (absent.length > 0)
    throw failure(
      "E_OPTION",
      `Cannot use ${name} for samples ${formatShape(sample)}: attention asks for images ${absent.join(", ")} pixels high, ` +
        `should be among ${resolutions.join(", ")}`,
      { fix: `set network.attention to some of ${resolutions.join(", ")}, or to none` },
    );
  const taps = resampleFilter.length;
  if (taps === 0 || taps % 2 !== 0 || resampleFilter.reduce((sum, tap) => sum + tap, 0) === 0)
    throw failure(
      "E_OPTION",
      `Cannot use ${name} with resampleFilter [${resampleFilter.join(", ")}]: it has ${taps} taps, ` +
        "should have an even number whose sum is not 0, so that images double and halve exactly",
      { fix: "use 1,1 (DDPM++, ADM) or 1,3,3,1 (NCSN++)" },
    );
}

/** Channels that divide into the groups of their normalisations and into heads. */
function checkChannels(settings: UnetSettings, { first, encoder, decoder }: UnetPlan): void {
  const { name, noiseChannels } = settings;
  if (noiseChannels % 2 !== 0)
    throw failure(
      "E_OPTION",
      `Cannot use ${name}: the noise embedding has ${noiseChannels} channels, should be even, half sines and half cosines`,
      { fix: "choose an even number of channels" },
    );
  const check = (where: string, channels: number, parts: number, what: string) => {
    if (channels % parts !== 0)
      throw failure(
        "E_OPTION",
        `Cannot use ${name}: block ${where} has ${channels} channels, should be a multiple of its ${parts} ${what}`,
        {
          fix: "choose channels so that channels·channelMult are multiples of 4, above 128 multiples of 32, and of their heads",
        },
      );
  };
  const skips = [first.channels];
  let C = first.channels;
  const enter = (block: PlannedBlock) => {
    if (block.joins) C += skips.pop()!;
    check(block.name, C, unetGroups(C), "normalisation groups");
    C = block.channels;
    check(block.name, C, unetGroups(C), "normalisation groups");
    if (block.heads > 0) check(block.name, C, block.heads, "attention heads");
  };
  for (const block of encoder) {
    enter(block);
    skips.push(C);
  }
  decoder.forEach(enter);
}
