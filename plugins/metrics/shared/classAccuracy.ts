import { failure } from "../../../core/errors.ts";

/** How often a classifier's first choice is the wanted label. Shares lie in [0, 1]. */
export interface ClassAccuracy {
  /** Share over all samples. */
  readonly accuracy: number;
  /** Share of the class that does worst, and which one it is (the lowest among equals). */
  readonly worst: number;
  readonly worstClass: number;
  /** Share of each class [classes]; NaN for a class that no label names. */
  readonly perClass: readonly number[];
}

/**
 * Accuracy of `logits` [N, classes], row-major, for `labels` [N]. The first of equal logits is the choice; a row with NaN
 * chooses nothing and counts as wrong. Throws E_SHAPE when sizes do not fit, nothing is given or a label is out of range.
 */
export function classAccuracy(logits: ArrayLike<number>, labels: ArrayLike<number>, classes: number): ClassAccuracy {
  const N = labels.length;
  if (N === 0 || logits.length !== N * classes)
    throw failure(
      "E_SHAPE",
      `Cannot score ${logits.length} logits: there are ${N} labels and ${classes} classes, should be labels x classes logits and at least one label`,
    );
  const right = new Array<number>(classes).fill(0);
  const wanted = new Array<number>(classes).fill(0);
  for (let n = 0; n < N; n++) {
    const label = labels[n];
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw failure(
        "E_SHAPE",
        `Cannot score label ${n}: it is ${label}, should be an integer from 0 to ${classes - 1}`,
      );
    wanted[label]++;
    if (firstChoice(logits, n * classes, classes) === label) right[label]++;
  }
  const perClass = right.map((count, label) => count / wanted[label]);
  const worst = Math.min(...perClass.filter((share) => !Number.isNaN(share)));
  const total = right.reduce((sum, count) => sum + count, 0);
  return { accuracy: total / N, worst, worstClass: perClass.indexOf(worst), perClass };
}

/** Index of the largest of `classes` values from `start`, or -1 when one is NaN. */
function firstChoice(logits: ArrayLike<number>, start: number, classes: number): number {
  let best = 0;
  for (let c = 0; c < classes; c++) {
    if (Number.isNaN(logits[start + c])) return -1;
    if (logits[start + c] > logits[start + best]) best = c;
  }
  return best;
}
