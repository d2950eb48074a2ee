import { type Token, token } from "../di/token.ts";
import type { FileSystem } from "../io/files.ts";
import type { Shape } from "../tensor/shape.ts";
import type { HostArray } from "./backend.ts";
import type { ConditionShape } from "./condition.ts";
import type { Offload } from "./offload.ts";

/** What a sample looks like. Known from the data when training, from the manifest when sampling. */
export interface DataShape {
  /** Without the batch axis: [C, H, W] or [D]. */
  readonly sample: Shape;
  /** What describes a sample, by name. */
  readonly condition: ConditionShape;
  /** Standard deviation of the data, EDM's σ_data. */
  readonly sigmaData: number;
}

/** Number of classes of the entry `label`; 0 for data without. */
export const classesOf = ({ condition }: Pick<DataShape, "condition">): number => condition.label?.classes ?? 0;

/** Samples on the host, row-major, in the range the networks see ([-1, 1] for images). */
export interface Batch {
  readonly x: Float32Array;
  /** Every entry of the data's conditions, [B, …]. */
  readonly condition: Readonly<Record<string, HostArray>>;
}

/** All held-out samples of a data set. */
export type HeldOut = Batch & { readonly count: number };

/** Where real samples come from. Holds no position: all randomness comes in, so a resumed run repeats. */
export interface Dataset {
  readonly name: string;
  readonly shape: DataShape;
  /** Number of samples; Infinity for synthetic data. */
  readonly size: number;
  /** Whether no batch has samples, as with texts alone: its `x` throws what to do without. */
  readonly conditionsOnly?: boolean;
  /**
   * A number draws that many samples at random, with replacement; a list takes the samples with those indices. `random` gives
   * independent uniform numbers in [0, 1) and is called a fixed number of times per sample. Data that have to be read or
   * decoded come as a promise; several may be open at a time.
   */
  batch(which: number | ArrayLike<number>, random: () => number): Batch | Promise<Batch>;
  /**
   * The indices of the samples that `batch` with that number would take. Stored data have it, so that the parts of a large
   * batch are read one by one, when they are needed.
   */
  choose?(count: number, random: () => number): ArrayLike<number>;
  /**
   * What the samples with these indices show, in words, where the data say it: a text each, as it is stored. Networks are told of
   * it once it is encoded.
   */
  captions?(which: ArrayLike<number>): Promise<readonly string[]>;
  /** The value that stands for no condition, for each entry whose `empty` is "stored". */
  readonly empty?: Readonly<Record<string, HostArray>>;
  /** For a mixture of equally likely Gaussians: their centres [K, D] and common standard deviation. */
  readonly mixture?: { readonly means: ArrayLike<number>; readonly std: number };
  /** All held-out samples, where there are some; no batch has one of them. */
  test?(): HeldOut | Promise<HeldOut>;
  /**
   * A text that two data sets share only if they have the same samples in the same order. Data that have one let what is
   * learned from them, such as the classifier of a metric, be kept for the next run.
   */
  fingerprint?(): Promise<string>;
  /** Ends what it has started. The container that made it does it. */
  dispose?(): Promise<void>;
}

/** What a dataset plugin provides: data have to be loaded. `composeRun` awaits it once and provides DATASET. */
export const DATASET_SOURCE: Token<Promise<Dataset>> = token<Promise<Dataset>>("dataset");
/** The dataset of the run, for the other plugins. */
export const DATASET: Token<Dataset> = token<Dataset>("loaded dataset");
/** What samples of the run look like: sizes, conditions, deviation. */
export const DATA_SHAPE: Token<DataShape> = token<DataShape>("data shape");

/** The user's `--data` folder and the way to read it; absent for synthetic data. */
export interface DataFolder {
  readonly files?: FileSystem;
  readonly path?: string;
  /** Where data are decoded; on the calling thread when absent. */
  readonly offload?: Offload;
  /** Told how many files of how many are read, while that goes on. */
  readonly progress?: (done: number, total: number) => void;
  /** Told what the data are, and what was passed over, once they are loaded; a sentence each. */
  readonly found?: (text: string) => void;
}
/** The folder that `--data` names. */
export const DATA_FOLDER: Token<DataFolder> = token<DataFolder>("data folder");
