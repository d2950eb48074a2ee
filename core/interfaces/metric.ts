import { type ListToken, listToken } from "../di/token.ts";
import type { Shape } from "../tensor/shape.ts";

/** Samples to judge, on the host. */
export interface SampleSet {
  readonly shape: Shape;
  /** Row-major, [-1, 1] for images. */
  readonly x: Float32Array;
  /** The class each was asked for. */
  readonly label: Int32Array;
}

/** Judges a set of samples: named numbers, the protocol in the metric's documentation. */
export interface Metric {
  readonly name: string;
  evaluate(samples: SampleSet): Promise<Readonly<Record<string, number>>>;
}

export const METRICS: ListToken<Metric> = listToken<Metric>("metrics");
