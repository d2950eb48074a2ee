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
  /** Per sample 1 where the first choice is the label, else 0; their mean is the accuracy. */
  readonly right: Uint8Array;
  /**
   * How often the class that is chosen least is chosen, over how often it is wanted: 1 where every class comes as often as it
   * should, 0 where one never comes, whatever is wanted.
   */
  readonly rarest: number;
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
  const [correct, wanted, chosen] = [0, 1, 2].map(() => new Array<number>(classes).fill(0));
  const right = new Uint8Array(N);
  for (let n = 0; n < N; n++) {
    const label = labels[n];
    if (!(Number.isInteger(label) && label >= 0 && label < classes))
      throw failure(
        "E_SHAPE",
        `Cannot score label ${n}: it is ${label}, should be an integer from 0 to ${classes - 1}`,
      );
    wanted[label]++;
    const choice = firstChoice(logits, n * classes, classes);
    if (choice >= 0) chosen[choice]++;
    if (choice !== label) continue;
    right[n] = 1;
    correct[label]++;
  }
  const leastOf = (shares: readonly number[]) => Math.min(...shares.filter((_, label) => wanted[label] > 0));
  const perClass = correct.map((count, label) => count / wanted[label]);
  const worst = leastOf(perClass);
  return {
    accuracy: correct.reduce((sum, count) => sum + count, 0) / N,
    worst,
    worstClass: perClass.indexOf(worst),
    perClass,
    right,
    rarest: leastOf(chosen.map((count, label) => count / wanted[label])),
  };
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
