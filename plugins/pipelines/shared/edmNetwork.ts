/** EDM's networks, pickled whole with the arguments that they were made with. */
import { failure } from "../../../core/errors.ts";
import type { ModelPart, ModelParts } from "../../../core/interfaces/mod.ts";
import type { PickledNetwork, TorchFile } from "../../../core/io/mod.ts";
import { parseJson } from "../../../core/json/mod.ts";
import { underPrefix } from "./singleFile.ts";

/** Options of ours by the names of EDM's arguments. */
const OPTIONS: Readonly<Record<string, string>> = {
  model_channels: "channels",
  channel_mult: "channelMult",
  channel_mult_emb: "channelMultEmb",
  num_blocks: "blocks",
  attn_resolutions: "attention",
  dropout: "dropout",
  label_dropout: "labelDropout",
  augment_dim: "augmentLabels",
};
const SONG_OPTIONS: Readonly<Record<string, string>> = {
  ...OPTIONS,
  embedding_type: "embedding",
  channel_mult_noise: "noiseMult",
  encoder_type: "encoder",
  decoder_type: "decoder",
  resample_filter: "resampleFilter",
};
/** Classes of networks, what they are here, and the arguments that theirs have without being given. */
const NETWORKS: Readonly<
  Record<string, { use: "adm" | "song"; options: Readonly<Record<string, string>>; initial: object }>
> = {
  DhariwalUNet: { use: "adm", options: OPTIONS, initial: { dropout: 0.1 } },
  SongUNet: { use: "song", options: SONG_OPTIONS, initial: { channel_mult: [1, 2, 2, 2], dropout: 0.1 } },
};

/** What a pickled network is, and what its data look like. */
export interface EdmNetwork {
  readonly part: ModelPart;
  readonly network: NonNullable<ModelParts["network"]>;
}

/**
 * The network of a file of EDM: its average `ema`, or the only one that there is. Undefined where no network was pickled whole.
 * @throws E_CHECKPOINT for a network, or a preconditioning, that is none of EDM's
 */
export function edmNetwork(file: TorchFile, from: string): EdmNetwork | undefined {
  const names = Object.keys(file.networks);
  if (names.length === 0) return undefined;
  const name = names.includes("ema") ? "ema" : names[0];
  const { className, initKwargs: given } = file.networks[name];
  const tensors = underPrefix(file.tensors, name === "" ? "" : `${name}/`);
  if (className !== "EDMPrecond")
    throw refused(from, `its network is preconditioned by ${className}, should be by EDMPrecond`);
  return { part: { from, tensors }, network: networkOf(given, from) };
}

function networkOf(given: PickledNetwork["initKwargs"], from: string): EdmNetwork["network"] {
  const type = given.model_type ?? "DhariwalUNet";
  if (typeof type !== "string" || !Object.hasOwn(NETWORKS, type))
    throw refused(from, `its network is a ${String(type)}, should be one of ${Object.keys(NETWORKS).join(", ")}`);
  const { use, options, initial } = NETWORKS[type];
  const settings = { ...initial, ...given };
  const own = Object.entries(options).flatMap(([theirs, ours]) => {
    const value = (settings as Record<string, unknown>)[theirs];
    return value === undefined ? [] : [[ours, value] as const];
  });
  const { img_resolution: size, img_channels: channels, label_dim: classes = 0, sigma_data: sigmaData = 0.5 } = given;
  const network = { use, options: Object.fromEntries(own), sample: [channels, size, size], classes, sigmaData };
  // Held to the same as one that was converted.
  return parsedNetwork(JSON.stringify(network), from);
}

const refused = (from: string, why: string) =>
  failure("E_CHECKPOINT", `Cannot read ${from}: ${why}`, {
    fix: "give a network of NVlabs/edm, such as edm-imagenet-64x64-cond-adm.pkl",
  });

/** What a converted file says of its network, checked as far as it is not by the plugin. @throws E_CHECKPOINT */
export function parsedNetwork(text: string, from: string): EdmNetwork["network"] {
  const value = parsed(text) as Partial<EdmNetwork["network"]>;
  const { use, options, sample, classes, sigmaData } = value;
  const isShape =
    Array.isArray(sample) && sample.length === 3 && sample.every((size) => Number.isSafeInteger(size) && size > 0);
  const isSound =
    (use === "adm" || use === "song") &&
    typeof options === "object" &&
    options !== null &&
    isShape &&
    Number.isSafeInteger(classes) &&
    typeof sigmaData === "number" &&
    sigmaData > 0;
  if (!isSound) throw refused(from, "what it says of its network is not what `onestep convert` writes");
  return { use, options, sample, classes: classes as number, sigmaData };
}

function parsed(text: string): object {
  try {
    return Object(parseJson(text));
  } catch {
    return {};
  }
}
