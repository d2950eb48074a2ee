import { list, number } from "../../../core/plugin/mod.ts";

/** Defaults in which EDM's U-Nets differ. */
export interface UnetDefaults {
  readonly channels: number;
  readonly channelMult: readonly number[];
  readonly blocks: number;
  readonly attention: readonly number[];
}

/** Options that all of EDM's U-Nets have. */
export const unetOptions = ({ channels, channelMult, blocks, attention }: UnetDefaults) => ({
  channels: number({
    default: channels,
    min: 4,
    integer: true,
    about: "channels at the highest resolution, even, in units of which the others are given",
  }),
  channelMult: list(number({ min: 1, integer: true }), {
    default: channelMult,
    about: "channels at each resolution, in units of `channels`; each next one halves the image",
  }),
  channelMultEmb: number({
    default: 4,
    min: 1,
    integer: true,
    about: "width of the embedding that modulates every block, in units of `channels`",
  }),
  blocks: number({
    default: blocks,
    min: 1,
    integer: true,
    about: "blocks at each resolution; the decoder has one more",
  }),
  attention: list(number({ min: 1, integer: true }), {
    default: attention,
    about: "resolutions with self-attention, by their height in pixels",
  }),
  augmentLabels: number({
    default: 0,
    min: 0,
    integer: true,
    about: "numbers that say how an image was augmented; 0 when it never is, 9 in EDM's pipeline",
  }),
  dropout: number({
    default: 0,
    min: 0,
    max: 0.99,
    about: "probability that an activation is dropped inside a block while the network is trained",
  }),
  labelDropout: number({
    default: 0,
    min: 0,
    max: 1,
    about: "probability that a sample's class is dropped in training, for guidance without classifier",
  }),
  resampleFilter: list(number(), {
    default: [1, 1],
    about: "taps of the filter that halves and doubles images: 1,1 or NCSN++'s 1,3,3,1",
  }),
});
