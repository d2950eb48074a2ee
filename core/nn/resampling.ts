import { edmDown, edmUp } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Scope } from "./scope.ts";

/** Options of a resampling layer. */
export interface ResamplingOptions {
  /** Taps along one axis; EDM's [1, 1] is a 2×2 mean on the way down and repeated pixels on the way up. */
  readonly filter: readonly number[];
  /** Zeros around the image on the way down; ⌊(n−1)/2⌋ keeps R/2 pixels and is the default. */
  readonly padding?: number;
}

/**
 * Half or twice the size, with outer(f, f)/(Σf)² (times 4 on the way up). x [B, C, R, R] → [B, C, R/2, R/2] or [B, C, 2R, 2R].
 * The filter is a buffer `resample_filter` [1, 1, n, n] of official state dicts. NVlabs/edm training/networks.py, Conv2d.
 */
export function resampled(
  scope: Scope,
  x: Tensor,
  direction: "up" | "down",
  { filter, padding }: ResamplingOptions,
): Tensor {
  const total = filter.reduce((sum, tap) => sum + tap, 0);
  scope.derived("resample_filter", [1, 1, filter.length, filter.length], () =>
    filter.flatMap((row) => filter.map((column) => (row * column) / total ** 2)),
  );
  return direction === "up" ? edmUp(x, filter) : edmDown(x, filter, padding);
}
