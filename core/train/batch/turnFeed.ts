import type { Turn } from "../loop/schedule.ts";
import type { Inputs } from "./turnInputs.ts";

/**
 * What one update is fed, part after part. A part that is fetched ahead waits here until it is taken: so it is read and
 * decoded while the device is busy with the part, or the update, before it.
 */
export class TurnFeed {
  readonly turn: Turn;
  readonly #inputs: (part: number) => Promise<Inputs>;
  readonly #fetched = new Map<number, Promise<Inputs>>();

  constructor(turn: Turn, inputs: (part: number) => Promise<Inputs>) {
    this.turn = turn;
    this.#inputs = inputs;
  }

  /** Begins with a part, without waiting for it. What goes wrong is told to whoever takes it, and to nobody otherwise. */
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
  readonly #parts: number;
  readonly #inputsOf: (turn: Turn) => (part: number) => Promise<Inputs>;
  /** That of the turn that comes next. */
  #ahead: TurnFeed | undefined;

  /** @param parts of every batch */
  constructor(parts: number, inputsOf: (turn: Turn) => (part: number) => Promise<Inputs>) {
    this.#parts = parts;
    this.#inputsOf = inputsOf;
  }

  /** What a turn is fed; some of it may be there already. */
  of(turn: Turn): TurnFeed {
    const ahead = this.#ahead;
    if (ahead?.turn.phase === turn.phase && ahead.turn.step === turn.step) return ahead;
    return new TurnFeed(turn, this.#inputsOf(turn));
  }

  /** Begins with a part of a turn's batch, or behind its last with the first of the next turn. */
  fetchAhead(feed: TurnFeed, part: number, next: Turn | undefined): void {
    if (part < this.#parts) {
      feed.fetch(part);
      return;
    }
    this.#ahead = next && this.of(next);
    this.#ahead?.fetch(0);
  }

  /** Lets go of what was fetched for a turn that does not come. */
  forget(): void {
    this.#ahead = undefined;
  }
}
