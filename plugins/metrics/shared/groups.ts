import { failure } from "../../../core/errors.ts";
import { choice, number } from "../../../core/plugin/mod.ts";

/** Which samples are of one kind, and so many of each that are compared. */
export interface Grouping {
  readonly by: "prompt" | "label";
  readonly each: number;
}

/** The options of every metric of diversity, with what suits it. */
export const groupOptions = (by: Grouping["by"], each: number) => ({
  by: choice(["prompt", "label"], {
    default: by,
    about: "which samples are of one kind: as many in a row as there are of each, or those of one class",
  }),
  each: number({
    default: each,
    min: 2,
    max: 10_000,
    integer: true,
    about: "samples of a prompt or class that are compared with one another, the first ones",
  }),
});

/** Gives samples their groups, as they come. */
export class Groups {
  readonly #grouping: Grouping;
  readonly #sizes = new Map<number, number>();
  #count = 0;

  constructor(grouping: Grouping) {
    this.#grouping = grouping;
  }

  /** The group of the next sample; undefined where that has as many as are compared. */
  next(label: number | undefined): number | undefined {
    const { by, each } = this.#grouping;
    const group = by === "prompt" ? Math.floor(this.#count / each) : label;
    this.#count++;
    if (group === undefined)
      throw failure("E_CONFIG", "Cannot compare samples of one class: the samples have no classes, expected labels", {
        fix: "take by=prompt, for as many samples of each prompt in a row as each says",
      });
    const size = this.#sizes.get(group) ?? 0;
    this.#sizes.set(group, size + 1);
    return size < each ? group : undefined;
  }
}

/** Means of what pairs of one group are apart, one for each group that has some. Throws E_CONFIG where none has. */
export function meansOf(pairs: Iterable<readonly [group: number, distance: number]>): Float64Array {
  const sums = new Map<number, { total: number; count: number }>();
  for (const [group, distance] of pairs) {
    const sum = sums.get(group) ?? { total: 0, count: 0 };
    sums.set(group, { total: sum.total + distance, count: sum.count + 1 });
  }
  if (sums.size === 0)
    throw failure("E_CONFIG", "Cannot compare samples of one kind: there are no two of any, expected two or more", {
      fix: "judge more samples",
    });
  return Float64Array.from(sums.values(), ({ total, count }) => total / count);
}
