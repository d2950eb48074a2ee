import type { Inputs } from "./phaseFeed.ts";
import type { Turn } from "./schedule.ts";

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
