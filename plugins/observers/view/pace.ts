/** Seconds whose steps say how fast a run is of late. */
const LATE = 30;

/** How fast a stage is of late: by the clock, so that pauses, pictures and checkpoints count. */
export class Pace {
  /** Steps that are done at a time, the oldest first; as many as LATE seconds have, thinned. */
  #marks: { readonly done: number; readonly at: number }[] = [];
  #mean: number | undefined;

  /** @param at seconds since the run began */
  add(step: number, ms: number, at: number): void {
    const marks = this.#marks;
    const last = marks[marks.length - 1];
    // Without a clock that moves, the time of the steps themselves has to do.
    this.#mean = this.#mean === undefined ? ms : this.#mean + 0.05 * (ms - this.#mean);
    if (last && (step < last.done || at < last.at)) marks.length = 0;
    else if (last && marks.length > 1 && at - marks[marks.length - 2].at < LATE / 60) marks.pop();
    marks.push({ done: step + 1, at });
    while (marks.length > 2 && at - marks[1].at > LATE) marks.shift();
  }

  /** Steps per second; undefined before the second step. */
  get rate(): number | undefined {
    const [first, last] = [this.#marks[0], this.#marks[this.#marks.length - 1]];
    if (first && last.at - first.at > 0.5) return (last.done - first.done) / (last.at - first.at);
    return this.#mean ? 1000 / this.#mean : undefined;
  }
}
