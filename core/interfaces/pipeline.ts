import { type Token, token } from "../di/token.ts";
import type { FileSystem } from "../io/files.ts";
import type { Rows } from "../nn/frozen.ts";
import type { PictureSize } from "../pixels/resize.ts";
import type { Autoencoder } from "./autoencoder.ts";
import type { HostArray } from "./backend.ts";
import type { DataShape } from "./dataset.ts";
import type { Encoder } from "./encoder.ts";
import type { ModelPart, ModelParts } from "./modelParts.ts";

/** A plugin of a config, with its options. */
export interface PipelineSection {
  readonly use: string;
  readonly [option: string]: unknown;
}

/** How samples are meant to be drawn. */
export interface ShapeRequest {
  readonly size: PictureSize;
  /** Whether guidance leads away from a text that is given, instead of from what the model takes for none. */
  readonly negative?: boolean;
}

/** What to make conditions of. */
export interface ConditionRequest {
  readonly size: PictureSize;
  /** Rows of every text, from each of the `encoders` in their order, by the names of its outputs. */
  readonly encoded: readonly Rows[];
  /** Texts that were encoded. */
  readonly count: number;
  /** For a network that is told the factor of guidance: see `guidanceEmbedded`. */
  readonly guidanceScale?: number;
}

/** A model of somebody else as onestep draws from it, and as a run trains it. */
export interface PipelineModel {
  /** Sections of a run's config: its network, its noise process, and how its makers sample it. */
  readonly config: {
    readonly network: PipelineSection;
    readonly process: PipelineSection;
    readonly sampler: PipelineSection;
  };
  /** The weights of the network, by the names of its parameters. */
  readonly weights: ModelPart;
  /** The pictures that it was made for. */
  readonly size: PictureSize;
  /** Factor of guidance that its makers recommend; 1 is off. */
  readonly guidanceScale: number;
  /** Whether the network is told this factor, and so needs no second call for it, as latent consistency models are. */
  readonly guidanceEmbedded?: boolean;
  /**
   * What the network works on at a size.
   * @throws E_OPTION for a size that the network can't draw
   */
  shape(request: ShapeRequest): DataShape;
  /**
   * What reads prompts; none for a model that is told no text. Their weights are read when they are loaded.
   * Asking for them throws E_CHECKPOINT where they are not among the parts.
   */
  readonly encoders: readonly Encoder[];
  /** Absent for a model of pixels, and where it is not among the parts. */
  readonly autoencoder?: Autoencoder;
  /** The entries of the condition, of `count` samples, that do not come from a class. */
  conditions(request: ConditionRequest): Readonly<Record<string, HostArray>>;
  /**
   * What guidance leads away from where no text is given to lead away from: a text that the model takes for none, to be encoded.
   * Undefined where `shape` says what stands for none.
   */
  readonly emptyText?: string;
}

/** Makes the parts of a model of one kind, opened from whatever form they have, a model to draw from and to train. */
export interface Pipeline {
  readonly name: string;
  /** Whether parts are those of a model of its kind. */
  reads(parts: ModelParts): boolean;
  /** @throws E_CHECKPOINT where a part is missing; E_CONFIG for a setting that it does not know, such as a kind of scheduler */
  open(parts: ModelParts, files: FileSystem): PipelineModel;
}

/** What knows the kind of model that a run starts from. */
export const PIPELINE: Token<Pipeline> = token<Pipeline>("pipeline");
