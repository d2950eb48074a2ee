import type { FileEntry } from "../io/tensorFile.ts";
import type { DataShape } from "./dataset.ts";

/** A JSON object out of a file: any value may be missing, or be something else than it should. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Parts of a model, by the names of their folders in diffusers' layout. */
export const MODEL_PARTS = ["unet", "transformer", "vae", "text_encoder", "text_encoder_2", "image_encoder"] as const;
/** One of `MODEL_PARTS`. */
export type ModelPartName = (typeof MODEL_PARTS)[number];

/** The weights of a part, and what its makers say of it. */
export interface ModelPart {
  /** The file or folder that it was found in, for messages. */
  readonly from: string;
  /**
   * Its `config.json`. Of weights that came alone, as in a single file, what names and shapes tell, completed with the values of the
   * published models; absent where they tell nothing.
   */
  readonly config?: JsonObject;
  /** The file of `config`, for messages; absent where no file says it. */
  readonly configFrom?: string;
  /**
   * Its tensors, by the names that diffusers and transformers give them, whatever the file calls them. Each is read when it is
   * asked for, and not kept. The record has no prototype.
   */
  readonly tensors: Readonly<Record<string, FileEntry>>;
}

/**
 * What a model's tensors say it is, by their names and shapes: a U-Net told one text (`sd15`; `sd2` where the text is 1024 wide), a
 * U-Net told two texts and sizes (`sdxl`), a U-Net of EDM, a transformer over patches, or nothing known.
 */
export const ARCHITECTURES = ["sd15", "sd2", "sdxl", "edm", "transformer", "unknown"] as const;
/** One of `ARCHITECTURES`. */
export type Architecture = (typeof ARCHITECTURES)[number];

/** A model as people hold it: a folder of diffusers, one file with all of it, or the weights of a network alone. */
export interface ModelParts {
  readonly path: string;
  readonly layout: "diffusers" | "single-file" | "network";
  readonly architecture: Architecture;
  readonly parts: Readonly<Partial<Record<ModelPartName, ModelPart>>>;
  /**
   * `scheduler/scheduler_config.json`: noise process, prediction type, spacing of timesteps. Of a single file, that of the published
   * models; absent for a network alone.
   */
  readonly scheduler?: JsonObject;
  /** `model_index.json`: the pipeline's class and those of its parts. */
  readonly modelIndex?: JsonObject;
  /** Path of `tokenizer/merges.txt`, the vocabulary of the (first) text encoder. */
  readonly vocabulary?: string;
  /** The same for the second text encoder. */
  readonly vocabulary2?: string;
  /** What onestep wrote beside a distilled generator: `onestep_sampler.json`. */
  readonly sampler?: SamplerManifest;
  /** The network of ours that a pickled network of EDM says it is, and the data that it was made for. */
  readonly network?: {
    readonly use: "adm" | "song";
    readonly options: JsonObject;
    /** [C, R, R] */
    readonly sample: readonly number[];
    /** 0 without classes. */
    readonly classes: number;
    readonly sigmaData: number;
  };
}

/** How a distilled generator is sampled. For onestep `role`, `data` and `config` say all; the rest is for other programs. */
export interface SamplerManifest {
  /** 1 */
  readonly version: number;
  readonly role: string;
  readonly stage?: string;
  readonly data: DataShape;
  /** The run's config, of which drawing needs the network, process, generator, method and sampler. */
  readonly config: JsonObject;
  /** Network evaluations per sample. */
  readonly steps: number;
  /** What the network is told at each evaluation, first to last; absent for networks that are told σ. */
  readonly timesteps?: readonly number[];
  /** As schedulers of diffusers call it. */
  readonly prediction_type: "epsilon" | "v_prediction" | "sample" | "flow";
  /** 1: guidance is in the weights. */
  readonly guidance_scale: number;
}
