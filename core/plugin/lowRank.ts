import { group, list, number, text } from "./options.ts";

/** What the official code adapts in U-Nets of diffusers. */
const UNET_LAYERS = [
  "to_q",
  "to_k",
  "to_v",
  "to_out.0",
  "proj_in",
  "proj_out",
  "ff.net.0.proj",
  "ff.net.2",
  "conv1",
  "conv2",
  "conv_shortcut",
  "downsamplers.0.conv",
  "upsamplers.0.conv",
  "time_emb_proj",
];

/** The option `lora` of a role's plugin: adapters of its network. */
export const lowRank = group(
  {
    rank: number({
      default: 0,
      min: 0,
      integer: true,
      about: "channels of an adapter; 0 is off",
    }),
    alpha: number({ default: 8, above: 0, about: "an adapter counts alpha/rank times" }),
    targets: list(text(), {
      default: UNET_LAYERS,
      about: "layers that get an adapter, by the ends of their names",
    }),
  },
  {
    about: "low-rank adaptation in place of training every parameter; the weights below are the teacher's, stored once",
  },
);
