import { type ListToken, listToken } from "../di/token.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Batch } from "./dataset.ts";

/** Samples to judge, on the host. */
export interface SampleSet {
  readonly shape: Shape;
  /** Row-major, [-1, 1] for images. */
  readonly x: Float32Array;
  /** Entries of the condition that each was asked for. */
  readonly condition: Batch["condition"];
}

/** Judges a set of samples: named numbers, the protocol in the metric's documentation. */
export interface Metric {
  readonly name: string;
  evaluate(samples: SampleSet): Promise<Readonly<Record<string, number>>>;
}

export const METRICS: ListToken<Metric> = listToken<Metric>("metrics");
