import { type Token, token } from "../di/token.ts";
import type { FileSystem } from "../io/files.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Offload } from "./offload.ts";

/** What a sample looks like. Known from the data when training, from the manifest when sampling. */
export interface DataShape {
  /** Without the batch axis: [C, H, W] or [D]. */
  readonly sample: Shape;
  /** Number of classes; 0 for unconditional data. */
  readonly classes: number;
  /** Standard deviation of the data, EDM's σ_data. */
  readonly sigmaData: number;
  /** What samples are described by, where it is text. */
  readonly text?: TextShape;
}

/** What a text encoder makes of a prompt. */
export interface TextShape {
  /** L, 77 for CLIP. */
  readonly tokens: number;
  /** D of a token: 768 in SD 1.5, 2048 in SDXL. */
  readonly width: number;
  /** P, the width of the pooled embedding, for models that take one and time ids with it; 1280 in SDXL. */
  readonly pooled?: number;
  /**
   * What the data have of the embedding of no text, which guidance leads away from; the rest of it is zero. Absent where
   * they have none: then nothing can be guided.
   */
  readonly unconditional?: readonly ("text" | "pooled")[];
}

/** What samples are described by, row-major. */
export interface Description {
  /** Tokens of a text encoder, [B, L, D]. */
  readonly text: Float32Array;
  /** [B, P], for models that take a pooled embedding. */
  readonly pooled?: Float32Array;
  /** Sizes in pixels, [B, 6], for the same models. */
  readonly timeIds?: Float32Array;
}

/** Samples on the host, row-major, in the range the networks see ([-1, 1] for images). */
export interface Batch {
  readonly x: Float32Array;
  /** Class indices; all 0 for unconditional data. */
  readonly label: Int32Array;
  /** Of data with text. */
  readonly described?: Description;
}

/** Where real samples come from. Holds no position: all randomness comes in, so a resumed run repeats. */
export interface Dataset {
  readonly name: string;
  readonly shape: DataShape;
  /** Number of samples; Infinity for synthetic data. */
  readonly size: number;
  /**
   * A number draws that many samples at random, with replacement; a list takes the samples with those indices.
   * `random` gives independent uniform numbers in [0, 1) and is called a fixed number of times a sample. Data that have to
   * be read or decoded come as a promise; several may be open at a time.
   */
  batch(which: number | ArrayLike<number>, random: () => number): Batch | Promise<Batch>;
  /**
   * The indices of the samples that `batch` with that number would take. Data that are stored have it: so the parts of a
   * large batch are read one by one, when they are needed.
   */
  choose?(count: number, random: () => number): ArrayLike<number>;
  /** The embedding of no text, [L, D] and [P]: what `shape.text.unconditional` lists of it. */
  readonly unconditional?: Partial<Pick<Description, "text" | "pooled">>;
  /** The centres [K, D] and common standard deviation of the equally likely Gaussians it draws from, where it does. */
  readonly mixture?: { readonly means: ArrayLike<number>; readonly std: number };
  /** All held-out samples, where there are some. */
  test?(): Batch & { readonly count: number };
  /** Ends what it has started. The container that made it does it. */
  dispose?(): Promise<void>;
}

/** Datasets load asynchronously; whoever composes a run awaits this once and provides DATASET. */
export const DATASET_SOURCE: Token<Promise<Dataset>> = token<Promise<Dataset>>("dataset");
export const DATASET: Token<Dataset> = token<Dataset>("loaded dataset");
export const DATA_SHAPE: Token<DataShape> = token<DataShape>("data shape");

/** The user's `--data` folder and the way to read it; absent for synthetic data. */
export interface DataFolder {
  readonly files?: FileSystem;
  readonly path?: string;
  /** Where data are decoded; on the calling thread when absent. */
  readonly offload?: Offload;
}
export const DATA_FOLDER: Token<DataFolder> = token<DataFolder>("data folder");
