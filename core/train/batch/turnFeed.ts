import type { TurnAt } from "../loop/schedule.ts";
import type { Inputs } from "./turnImages.ts";

/**
 * What one update is fed, part after part. A part that is fetched ahead waits here until it is taken: so it is read and
 * decoded while the device is busy with the part, or the update, before it.
 */
export class TurnFeed {
  readonly at: TurnAt;
  readonly #inputs: (part: number) => Promise<Inputs>;
  readonly #fetched = new Map<number, Promise<Inputs>>();

  constructor(at: TurnAt, inputs: (part: number) => Promise<Inputs>) {
    this.at = at;
    this.#inputs = inputs;
  }

  /** Begins with a part, without waiting for it. A failure rejects the `take` of that part; if it is never taken, it is ignored. */
  fetch(part: number): void {
    if (this.#fetched.has(part)) return;
    const inputs = this.#inputs(part);
    inputs.catch(() => {});
    this.#fetched.set(part, inputs);
  }

  /** A part, which is forgotten here. */
  take(part: number): Promise<Inputs> {
    this.fetch(part);
    const inputs = this.#fetched.get(part)!;
    this.#fetched.delete(part);
    return inputs;
  }
}

/** The feeds of turns that follow each other, of which one part is fetched ahead and no more. */
export class TurnFeeds {
  readonly #parts: readonly number[];
  readonly #inputsOf: (at: TurnAt) => (part: number) => Promise<Inputs>;
  /** That of the turn that comes next. */
  #ahead: TurnFeed | undefined;

  /** @param parts of every batch that are computed here, in order */
  constructor(parts: readonly number[], inputsOf: (at: TurnAt) => (part: number) => Promise<Inputs>) {
    this.#parts = parts;
    this.#inputsOf = inputsOf;
  }

  /** What a turn is fed; some of it may be there already. */
  of(at: TurnAt): TurnFeed {
    const ahead = this.#ahead;
    if (ahead?.at.turn === at.turn && ahead.at.step === at.step) return ahead;
    return new TurnFeed(at, this.#inputsOf(at));
  }

  /** Begins with the `place`-th of these parts of a turn's batch, or behind its last with the first of the next turn. */
  fetchAhead(feed: TurnFeed, place: number, next: TurnAt | undefined): void {
    if (place < this.#parts.length) {
      feed.fetch(this.#parts[place]);
      return;
    }
    this.#ahead = next && this.of(next);
    this.#ahead?.fetch(this.#parts[0]);
  }
}
