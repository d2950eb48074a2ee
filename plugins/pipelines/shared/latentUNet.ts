/** What the pipelines of Stable Diffusion share: a U-Net over the latents of an autoencoder, told texts. */
import { failure } from "../../../core/errors.ts";
import type {
  ConditionEntry,
  Encoder,
  ModelPart,
  ModelPartName,
  ModelParts,
  PipelineModel,
} from "../../../core/interfaces/mod.ts";
import type { FileSystem } from "../../../core/io/mod.ts";
import { joined } from "../../../core/tensor/mod.ts";
import { CLIP_CONTEXT } from "../../encoders/shared/clipContext.ts";
import type { PromptEncoder } from "../../encoders/shared/promptEncoder.ts";
import { autoencoderOf } from "./autoencoderOf.ts";
import { checkSides } from "./pictureSides.ts";
import { schedulerOf } from "./readScheduler.ts";
import { MOST_CHANNELS, numberOf, numbersOf, oneOf, settingsOf } from "./readSettings.ts";
import { usualScheduler } from "./schedulerConfigs.ts";
import { unet2dOptions } from "./unet2dConfig.ts";

/** What one pipeline has of its own. */
export interface LatentUNet {
  /** Text towers, made when they are asked for. */
  readonly towers: () => readonly PromptEncoder[];
  /** Latents on a side of the pictures that it was made for, where the config does not say it. */
  readonly side: number;
  readonly guidanceScale: number;
  /** What stands for no text where none is given; see `PipelineModel`. */
  readonly emptyText?: string;
  /** Width of the pooled text, where the network is told it and the sizes of the picture. */
  readonly pooled?: number;
}

export function latentUNet(parts: ModelParts, own: LatentUNet): PipelineModel {
  const unet = partOf(parts, "unet");
  const { towers, pooled } = own;
  const { from, config } = settingsOf(unet);
  const channels = oneOf(from, config, "in_channels", 4, 16) ?? 4;
  oneOf(from, config, "out_channels", channels);
  const network = unet2dOptions(config, from);
  const { process, sampler } = schedulerOf(
    parts.scheduler ?? usualScheduler(parts.architecture) ?? {},
    `the scheduler of ${parts.path}`,
  );
  const vae = parts.parts.vae && autoencoderOf(parts.parts.vae);
  if (vae && vae.channels.latent !== channels)
    throw failure(
      "E_CONFIG",
      `Cannot use ${parts.path}: the autoencoder has ${vae.channels.latent} channels of latents and the network ${channels}, should be as many`,
    );
  const factor = vae?.factor ?? 8;
  const [height, width = height] = numbersOf(from, config, "sample_size") ?? [own.side];
  const text = numberOf(from, config, "cross_attention_dim", { min: 1, max: MOST_CHANNELS, whole: true }) ?? 1280;
  const guidanceEmbedded = network.guidanceWidth !== undefined;
  let made: readonly Encoder[] | undefined;
  return {
    config: { network: { use: "unet2d", ...defined(network) }, process, sampler: { steps: 50, ...sampler } },
    weights: unet,
    size: { width: width * factor, height: height * factor },
    guidanceScale: own.guidanceScale,
    guidanceEmbedded,
    get encoders() {
      return (made ??= fitting(towers(), text, parts.path));
    },
    autoencoder: vae,
    emptyText: own.emptyText,
    shape({ size, negative = false }) {
      checkSides(size, factor);
      const empty = negative ? "stored" : "zero";
      const entry = (shape: readonly number[], empty: ConditionEntry["empty"]): ConditionEntry => ({
        shape,
        dtype: "f32",
        empty,
      });
      return {
        sample: [channels, size.height / factor, size.width / factor],
        condition: {
          text: entry([CLIP_CONTEXT, text], empty),
          ...(pooled !== undefined && { pooled: entry([pooled], empty), timeIds: entry([6], "same") }),
          ...(guidanceEmbedded && { guidance: entry([], "same") }),
        },
        sigmaData: 1,
      };
    },
    conditions({ size, encoded, count, guidanceScale = own.guidanceScale }) {
      const ids = [size.height, size.width, 0, 0, size.height, size.width];
      return {
        text: sideBySide(
          encoded.map((rows) => rows.text as Float32Array),
          count * CLIP_CONTEXT,
        ),
        ...(pooled !== undefined && {
          pooled: encoded[encoded.length - 1].pooled,
          timeIds: joined(Array.from({ length: count }, () => Float32Array.from(ids))),
        }),
        ...(guidanceEmbedded && { guidance: new Float32Array(count).fill(guidanceScale) }),
      };
    },
  };
}

/** The part of a name. @throws E_CHECKPOINT where the model does not have it */
export function partOf({ path, parts }: ModelParts, name: ModelPartName): ModelPart {
  const part = parts[name];
  if (part) return part;
  throw failure("E_CHECKPOINT", `Cannot use the model ${path}: it has no ${name}, expected one among its parts`, {
    fix: "give the folder or file of the whole model; weights of a network alone are laid over it with --unet FILE",
  });
}

/** Where the vocabulary of a tower is. @throws E_CHECKPOINT where no file of it is known */
export function vocabularyOf(files: FileSystem, model: string, ...paths: readonly (string | undefined)[]) {
  const path = paths.find((each) => each !== undefined);
  if (path !== undefined) return { files, path };
  throw failure(
    "E_CHECKPOINT",
    `Cannot read prompts for ${model}: it has no tokenizer/merges.txt, the vocabulary of its text encoder`,
    { fix: "give that of any Stable Diffusion model with --vocabulary merges.txt: it is the same for all" },
  );
}

/** Throws E_CONFIG unless the towers side by side are as wide as what the network looks at. */
function fitting(towers: readonly PromptEncoder[], width: number, model: string): readonly PromptEncoder[] {
  const widths = towers.map(({ sizes }) => sizes.width);
  if (widths.reduce((a, b) => a + b, 0) === width) return towers;
  throw failure(
    "E_CONFIG",
    `Cannot use ${model}: the network looks at texts of width ${width}, its text encoders make ${widths.join(" + ")}`,
  );
}

/** Rows of several matrices, each with as many, one beside the other. */
function sideBySide(matrices: readonly Float32Array[], rows: number): Float32Array {
  if (matrices.length === 1) return matrices[0];
  const widths = matrices.map((matrix) => matrix.length / rows);
  const total = widths.reduce((a, b) => a + b, 0);
  const out = new Float32Array(rows * total);
  let left = 0;
  for (const [i, matrix] of matrices.entries()) {
    const width = widths[i];
    for (let row = 0; row < rows; row++) out.set(matrix.subarray(row * width, (row + 1) * width), row * total + left);
    left += width;
  }
  return out;
}

/** A record without what is undefined. */
const defined = (record: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
