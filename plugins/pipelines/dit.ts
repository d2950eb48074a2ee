import { failure } from "../../core/errors.ts";
import {
  classesOf,
  classLabel,
  type DataShape,
  type JsonObject,
  type Pipeline,
  type PipelineModel,
  type PipelineSection,
  type SamplerManifest,
} from "../../core/interfaces/mod.ts";
import { definePlugin } from "../../core/plugin/mod.ts";
import { autoencoderOf } from "./shared/autoencoderOf.ts";
import { isDit, officialDit } from "./shared/ditNames.ts";
import { ditSizes } from "./shared/ditOptions.ts";
import { partOf } from "./shared/latentUNet.ts";
import { checkSides } from "./shared/pictureSides.ts";
import { schedulerOf } from "./shared/readScheduler.ts";
import { DIT_SCHEDULER } from "./shared/schedulerConfigs.ts";

/** Latents on a side where nothing says it: pictures of 256 pixels. */
const SIDE = 32;
/** Sides of a picture for each of the latents, where no autoencoder says it. */
const FACTOR = 8;
/** Of published models, where a row stands for no class. */
const GUIDANCE = 4;
/** The network's own default. */
const HEADS = 16;

/**
 * DiT: a transformer over latents, told a class. Guidance leads away from the row of its table that stands for no class, in all
 * channels; the official code leaves the last of four latent channels unguided. What the network says of the variance is not used.
 * Read of facebookresearch/DiT, of diffusers, and of runs of onestep, whose noise process may be a rectified flow.
 * The time is embedded as in the official code that trained the weights; diffusers divides by one frequency less.
 * Peebles & Xie 2023, arXiv:2212.09748.
 */
export const ditPipeline = definePlugin({
  name: "dit",
  kind: "pipeline",
  about: "DiT: classes to pictures of 256 or 512 pixels; transformers that onestep has trained",
  options: {},
  create: (): Pipeline => ({
    name: "dit",
    reads: ({ parts: { transformer } }) => transformer !== undefined && isDit(transformer.tensors),
    open(parts): PipelineModel {
      const given = partOf(parts, "transformer");
      const weights = { ...given, tensors: officialDit(given.tensors) };
      const trained = trainedHere(parts.sampler, parts.path);
      const {
        options,
        channels,
        classes,
        side = SIDE,
      } = ditSizes({ ...weights, config: trained?.config ?? given.config });
      const scheduled = trained ?? schedulerOf(parts.scheduler ?? DIT_SCHEDULER, `the scheduler of ${parts.path}`);
      const vae = parts.parts.vae && autoencoderOf(parts.parts.vae);
      if (vae && vae.channels.latent !== channels)
        throw failure(
          "E_CONFIG",
          `Cannot use ${parts.path}: the autoencoder has ${vae.channels.latent} channels of latents and the network ${channels}, should be as many`,
        );
      const factor = vae?.factor ?? FACTOR;
      const names = namesOf(parts.modelIndex, classes);
      return {
        config: {
          network: { use: "dit", ...options },
          process: scheduled.process,
          sampler: { steps: 50, ...scheduled.sampler },
        },
        weights,
        size: { width: side * factor, height: side * factor },
        guidanceScale: trained?.guidanceScale ?? (options.labelDropout > 0 ? GUIDANCE : 1),
        encoders: [],
        autoencoder: vae,
        shape({ size }): DataShape {
          checkSides(size, factor * options.patch);
          return {
            sample: [channels, size.height / factor, size.width / factor],
            condition: classes > 0 ? classLabel(classes, names) : {},
            sigmaData: 1,
          };
        },
        conditions: () => ({}),
      };
    },
  }),
});

/** What weights of a run say of themselves. */
interface Trained {
  readonly process: PipelineSection;
  readonly sampler: PipelineSection;
  readonly guidanceScale: number;
  /** As `config.json` would say it. */
  readonly config: JsonObject;
}

/** @throws E_CONFIG for a noise process that has no plugin, EDM's */
function trainedHere(manifest: SamplerManifest | undefined, path: string): Trained | undefined {
  if (!manifest) return undefined;
  const { config, data, guidance_scale: guidanceScale } = manifest;
  const [network, process, sampler] = ["network", "process", "sampler"].map((name) => sectionOf(config[name]));
  if (network?.use !== "dit") return undefined;
  if (!process || !sampler)
    throw failure(
      "E_CONFIG",
      `Cannot use ${path}: its run has no ${process ? "sampler" : "process of timesteps or times"}, should have one`,
      { fix: "draw with `onestep sample RUN`, without --model" },
    );
  return {
    process,
    sampler,
    guidanceScale,
    config: {
      num_attention_heads: network.heads ?? HEADS,
      num_embeds_ada_norm: classesOf(data) || undefined,
      sample_size: data.sample[1],
    },
  };
}

const sectionOf = (value: unknown): PipelineSection | undefined =>
  typeof value === "object" && value !== null && "use" in value && typeof value.use === "string"
    ? (value as PipelineSection)
    : undefined;

/** What each class is called first, by `id2label`; none where a class has no name. */
function namesOf(modelIndex: JsonObject = {}, classes: number): readonly string[] | undefined {
  const table = Object(modelIndex.id2label) as JsonObject;
  const names = Array.from({ length: classes }, (_, i) => (Object.hasOwn(table, i) ? table[i] : undefined));
  return names.every((name) => typeof name === "string") ? names.map((name) => name.split(",")[0].trim()) : undefined;
}
