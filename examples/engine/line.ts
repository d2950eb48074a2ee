import { whenAborted } from "./abort.ts";

/** Work that must not overlap, one piece after another in the order in which it was asked for. */
export class Line {
  #last: Promise<void> = Promise.resolve();

  /**
   * Waits for the turn; resolves with the function that ends it, which must be called. One that is aborted while it waits leaves the line.
   * @throws E_ABORTED
   */
  async turn(signal: AbortSignal | undefined, what: string): Promise<() => void> {
    const before = this.#last;
    let done = () => {};
    this.#last = new Promise((resolve) => {
      done = resolve;
    });
    const watch = whenAborted(signal, what);
    try {
      await Promise.race([before, watch.aborted]);
      return done;
    } catch (error) {
      // Those behind wait for those before.
      void before.then(done);
      throw error;
    } finally {
      watch.end();
    }
  }
}
