/**
 * Inception Score of each split of a set: exp(mean KL(p(y|x) ‖ p(y))), p(y) the mean of the split (Salimans et al. 2016,
 * arXiv:1606.03498). 1 for samples that all look alike to the classifier, at most the number of classes.
 * @param logits [count, classes], row-major
 * @param splits parts of nearly equal size, in order; the first ones have one more where the count does not divide
 */
export function inceptionScores(logits: ArrayLike<number>, classes: number, splits: number): number[] {
  const count = logits.length / classes;
  const larger = count % splits;
  let from = 0;
  return Array.from({ length: splits }, (_, split) => {
    const to = from + Math.floor(count / splits) + (split < larger ? 1 : 0);
    const score = scoreOf(logits, classes, from, to);
    from = to;
    return score;
  });
}

function scoreOf(logits: ArrayLike<number>, classes: number, from: number, to: number): number {
  const mean = new Float64Array(classes);
  /** Σ p log p over all samples. */
  let negativeEntropy = 0;
  const row = new Float64Array(classes);
  for (let n = from; n < to; n++) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < classes; k++) largest = Math.max(largest, logits[n * classes + k]);
    let sum = 0;
    for (let k = 0; k < classes; k++) sum += row[k] = Math.exp(logits[n * classes + k] - largest);
    for (let k = 0; k < classes; k++) {
      const p = row[k] / sum;
      mean[k] += p / (to - from);
      negativeEntropy += p * (logits[n * classes + k] - largest - Math.log(sum));
    }
  }
  let crossed = 0;
  for (const p of mean) if (p > 0) crossed += p * Math.log(p);
  return Math.exp(negativeEntropy / (to - from) - crossed);
}
