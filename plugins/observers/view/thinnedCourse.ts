/**
 * A stretch of a curve: its first step, and of its values the mean, the lowest and the highest. One value is `[step, value]`; a
 * stretch without a finite value is `[step, null]`.
 */
export type Stretch =
  | readonly [step: number, value: number | null]
  | readonly [step: number, mean: number, low: number, high: number];

/** Stretches at most: more than a chart has pixels are of no use. */
const MOST = 600;

/** What is known of a stretch. */
interface Bucket {
  readonly step: number;
  last: number;
  /** Values, the finite ones among them, and their sum. */
  values: number;
  finite: number;
  sum: number;
  low: number;
  high: number;
}

/**
 * A curve of any length in bounded memory: neighbours are put together when there are too many, and the lowest and highest value
 * of each stretch are kept, so that no spike is lost.
 */
export class ThinnedCourse {
  #buckets: Bucket[] = [];
  /** Values that a stretch gathers. */
  #width = 1;
  #last: number | undefined;
  #changedFrom = 0;

  /** A step that is not after the last one, as a run that goes back repeats it, takes the place of what was there from it on. */
  add(step: number, value: number): void {
    while (this.#buckets.length > 0 && this.#buckets[this.#buckets.length - 1].step >= step) this.#buckets.pop();
    const open = this.#buckets[this.#buckets.length - 1];
    const known = Number.isFinite(value);
    if (open && open.values < this.#width) {
      open.last = step;
      open.values++;
      if (known) {
        open.finite++;
        open.sum += value;
        if (value < open.low) open.low = value;
        if (value > open.high) open.high = value;
      }
    } else {
      const [low, high] = known ? [value, value] : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
      const finite = Number(known);
      this.#buckets.push({ step, last: step, values: 1, finite, sum: known ? value : 0, low, high });
    }
    this.#last = value;
    this.#changedFrom = Math.min(this.#changedFrom, this.#buckets.length - 1);
    if (this.#buckets.length > MOST) this.#halve();
  }

  #halve(): void {
    const halved: Bucket[] = [];
    for (let i = 0; i < this.#buckets.length; i += 2) {
      const [a, b] = [this.#buckets[i], this.#buckets[i + 1]];
      halved.push(
        b === undefined
          ? a
          : {
              step: a.step,
              last: b.last,
              values: a.values + b.values,
              finite: a.finite + b.finite,
              sum: a.sum + b.sum,
              low: Math.min(a.low, b.low),
              high: Math.max(a.high, b.high),
            },
      );
    }
    this.#buckets = halved;
    this.#width *= 2;
    this.#changedFrom = 0;
  }

  /** The value of the last step, finite or not; undefined before the first. */
  get last(): number | undefined {
    return this.#last;
  }

  get lastStep(): number | undefined {
    return this.#buckets[this.#buckets.length - 1]?.last;
  }

  /** The stretches from the `from`-th on. */
  stretches(from = 0): Stretch[] {
    return this.#buckets.slice(from).map(({ step, finite, values, sum, low, high }) => {
      if (finite === 0) return [step, null];
      const mean = rounded(sum / finite);
      return values === 1 ? [step, mean] : [step, mean, rounded(low), rounded(high)];
    });
  }

  /** The first stretch that is not what it was when this was last asked, and all from it on; undefined where nothing is new. */
  takeChanges(): { readonly from: number; readonly stretches: Stretch[] } | undefined {
    const from = this.#changedFrom;
    if (from >= this.#buckets.length) return undefined;
    this.#changedFrom = Number.POSITIVE_INFINITY;
    return { from, stretches: this.stretches(from) };
  }
}

/** Six digits: more are not seen, and make what is sent long. */
const rounded = (value: number): number => Number(value.toPrecision(6));
