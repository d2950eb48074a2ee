import type { NoiseSource } from "../../../core/diffusion/mod.ts";
import {
  add,
  constantArray,
  exp,
  floor,
  greater,
  mul,
  reshape,
  sub,
  sum,
  takeRows,
  toInt,
} from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { type Distribution, truncatedQuantiles } from "./quantiles.ts";

/** Intervals of the table that levels are read from. */
const INTERVALS = 1024;

/**
 * Draws σ between two levels where ln σ has a distribution, from a table of its quantiles with straight lines between them.
 * `low` above 0, below `high`. → a function to levels [count]
 */
export function drawnLevels(
  distribution: Distribution,
  low: number,
  high: number,
): (noise: NoiseSource, count: number) => Tensor {
  const quantiles = truncatedQuantiles(distribution, Math.log(low), Math.log(high), INTERVALS);
  const table = constantArray(quantiles, [INTERVALS + 1, 1]);
  return (noise, count) => {
    const place = mul(noise.uniform([count]), INTERVALS);
    const below = floor(place);
    const at = (index: Tensor) => reshape(takeRows(table, toInt(index)), [count]);
    const [from, to] = [at(below), at(add(below, 1))];
    return exp(add(from, mul(sub(to, from), sub(place, below))));
  };
}

/** How many of these steps a stage has reached, i32 [1]: which stretch of it is on, from 0. The same after a resume. */
export const stretchAt = (noise: NoiseSource, starts: readonly number[]): Tensor =>
  starts.length === 0
    ? constantArray([0], [1], "i32")
    : toInt(
        reshape(
          sum(
            greater(
              noise.step,
              constantArray(
                starts.map((start) => start - 0.5),
                [starts.length],
              ),
            ),
            { axes: [0] },
          ),
          [1],
        ),
      );
