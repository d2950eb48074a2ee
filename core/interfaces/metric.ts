import { type ListToken, listToken } from "../di/token.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Batch } from "./dataset.ts";

/** Some of the samples to judge, on the host. */
export interface SampleSet {
  /** [B, …] */
  readonly shape: Shape;
  /** Row-major, [-1, 1] for images. */
  readonly x: Float32Array;
  /** What each was asked to show, one row per sample: the entries of its condition. */
  readonly condition: Batch["condition"];
}

/** The judging of one set of samples, which comes in portions of any size. */
export interface Judging {
  take(samples: SampleSet): void | Promise<void>;
  /**
   * Named numbers about all samples taken. They do not depend on how the set was divided. `NAME ±` is half the width of the 95 %
   * interval of `NAME`, and stands behind it.
   */
  result(): Promise<Readonly<Record<string, number>>>;
}

/** Judges sets of samples, one after the other; the protocol is in the metric's documentation. */
export interface Metric {
  readonly name: string;
  /** The fewest samples of which it can say something; 1 when absent. */
  readonly least?: number;
  /** Its numbers of which a larger one is better; of all others it is a smaller one. */
  readonly larger?: readonly string[];
  /** What to know about its numbers where there are so few samples of a set; undefined where there is nothing. */
  caution?(count: number): string | undefined;
  /** Bytes of the host's memory that it needs for each sample it judges, at least; unknown when absent. */
  readonly bytesPerSample?: number;
  begin(): Judging;
  /**
   * Looks for the files that it will read, and whatever else can be known before training; rejects with what is wrong. Takes a
   * second at most: what has to be trained waits until it is used.
   */
  ready?(): Promise<unknown>;
  /** Frees what it holds on the device. The container that made it calls it. */
  dispose?(): void | Promise<void>;
}

/** Every metric of the run. */
export const METRICS: ListToken<Metric> = listToken<Metric>("metrics");
