/** Networks of EDM's reference code from the configurations of its cases. */
import { type Condition, classLabel, type DataShape } from "../../core/interfaces/mod.ts";
import type { ConfiguredPlugin } from "../../core/plugin/mod.ts";
import { adm } from "../../plugins/networks/adm.ts";
import { song } from "../../plugins/networks/song.ts";
import type { Feed } from "./feed.ts";
import type { GoldenCase } from "./goldenCase.ts";
import { Unsupported } from "./kind.ts";
import { ignore, only, type Settings } from "./settings.ts";

/** What the images of a case look like. */
export const edmDataShape = (config: Settings): DataShape => ({
  sample: [config.img_channels, config.img_resolution, config.img_resolution],
  condition: classLabel(config.label_dim ?? 0),
  sigmaData: config.sigma_data ?? 0.5,
});

/** The plugin of the network, in EDM's preconditioning, with the options that the case names. */
export function edmNetwork(config: Settings): ConfiguredPlugin {
  only(config, "precond", "EDMPrecond");
  // Of networks without bounds of the noise level, in float32.
  for (const [name, value] of Object.entries({ use_fp16: false, sigma_min: 0, sigma_max: "inf" }))
    only(config, name, value);
  const family = { DhariwalUNet: "adm", SongUNet: "song" }[config.model_type as string];
  const { img_resolution: R, channel_mult: channelMult } = config;
  const resolutions = (channelMult as number[]).map((_, i) => R / 2 ** i);
  // Heads of EDM's SongUNet have the width of the block, those of its ADM a width of their own.
  if (family === "song") ignore(config, "channels_per_head");
  const common = {
    channels: config.model_channels,
    channelMult,
    blocks: config.num_blocks,
    channelMultEmb: config.channel_mult_emb,
    augmentLabels: config.augment_dim,
    dropout: config.dropout,
    labelDropout: config.label_dropout,
    resampleFilter: config.resample_filter,
    // The reference passes over resolutions that the network does not have.
    attention: config.attn_resolutions?.filter((each: number) => resolutions.includes(each)),
  };
  if (family === "adm") return adm({ ...common, channelsPerHead: config.channels_per_head });
  if (family === "song")
    return song({
      ...common,
      noiseMult: config.channel_mult_noise,
      embedding: config.embedding_type,
      encoder: config.encoder_type,
      decoder: config.decoder_type,
    });
  throw new Unsupported(`no network ${config.model_type}`);
}

/** What the images of a case show: classes, by index where the rows are one-hot, and how they were augmented. */
export function edmCondition(feed: Feed, reference: GoldenCase): Condition {
  const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f32(name), "f32");
  return {
    ...(reference.has("in.class_labels") && classesOf(feed, reference)),
    ...(reference.has("in.augment_labels") && { augment: given("in.augment_labels") }),
  };
}

function classesOf(feed: Feed, reference: GoldenCase): Condition {
  const name = "in.class_labels";
  const rows = reference.f32(name);
  const classes = reference.shape(name)[1];
  const labels = Array.from({ length: rows.length / classes }, (_, b) => {
    const row = rows.subarray(b * classes, (b + 1) * classes);
    return row.every((value) => value === 0 || value === 1) && row.filter(Boolean).length === 1 ? row.indexOf(1) : -1;
  });
  if (labels.every((label) => label >= 0)) return feed.label("label", labels);
  return { classWeights: feed.tensor(name, [labels.length, classes], rows) };
}
