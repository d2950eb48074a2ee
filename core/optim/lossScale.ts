import { add } from "../ops/add.ts";
import { div } from "../ops/div.ts";
import { greater } from "../ops/greater.ts";
import { less } from "../ops/less.ts";
import { maximum } from "../ops/maximum.ts";
import { minimum } from "../ops/minimum.ts";
import { mul } from "../ops/mul.ts";
import { nanToNum } from "../ops/nanToNum.ts";
import { where } from "../ops/where.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The scale that a run begins with, and between what it moves. */
export const FIRST_SCALE = 2 ** 16;
/** A scale is never made smaller than this. */
export const SMALLEST_SCALE = 1;
const LARGEST_SCALE = 2 ** 24;
/** Good updates in a row after which the scale is doubled. */
const PATIENCE = 2000;

const LARGEST = 3.4028234663852886e38;

/**
 * 1 where x ≥ 0 is a finite number, else 0 → like x. A device may assume that there is no NaN, so that comparisons do not
 * find it; `nanToNum` looks at the bits, and gives the 0 that x + 1 never is.
 */
export function isFinitePositive(x: Tensor): Tensor {
  const shifted = nanToNum(add(x, 1));
  return mul(greater(shifted, 0.5), less(shifted, LARGEST));
}

/**
 * The factor of the next update's loss, from the number of good updates in a row; all are scalars, and `sound` is 0 for a
 * gradient that is not finite. Half after such a gradient, the double after 2000 good ones, so that it stays just below
 * what overflows.
 * Micikevicius et al. 2018, Mixed Precision Training, arXiv:1710.03740, section 3.2.
 */
export function nextScale(
  scale: Tensor,
  good: Tensor,
  sound: Tensor,
): { readonly scale: Tensor; readonly good: Tensor } {
  const more = add(good, 1);
  const isDue = greater(more, PATIENCE - 0.5);
  const grown = where(isDue, minimum(mul(scale, 2), LARGEST_SCALE), scale);
  return {
    scale: where(sound, grown, maximum(div(scale, 2), SMALLEST_SCALE)),
    good: where(sound, where(isDue, 0, more), 0),
  };
}
