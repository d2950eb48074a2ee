import { mapMode } from "./adapter/usage.ts";

/** Time as waiting sees it; another one for tests. */
export interface Clock {
  /** Milliseconds from any beginning. */
  now(): number;
  /** One turn of the event loop, in which the device's news arrive. */
  turn(): Promise<void>;
  sleep(ms: number): Promise<void>;
}

const hostClock: Clock = {
  now: () => performance.now(),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** Milliseconds for which short work is asked for at every turn. */
const EAGER = 0.5;
/** Sleeps grow with the wait so far, between these milliseconds: an end is noticed at most so much too late. */
const PART = 1 / 32;
const [SHORTEST, LONGEST] = [1, 8];
/** Turns within which Dawn answers a map of a buffer that the device is done with. */
const TURNS = 3;

/**
 * Waits for a device without spinning. While any promise of Dawn's is open, Dawn in Node turns the event loop without a
 * pause; on a software adapter that takes a core from the very work that is waited for. So nothing is left open: a map is
 * tried, taken back when the device is not done yet, and tried again after a sleep.
 */
export class Pace {
  readonly #clock: Clock;

  constructor(clock: Clock = hostClock) {
    this.#clock = clock;
  }

  /** Asks until the answer is yes: often at first, less often the longer it takes. */
  async until(isDone: () => Promise<boolean>): Promise<void> {
    const { now, turn, sleep } = this.#clock;
    const start = now();
    while (!(await isDone())) {
      const waited = now() - start;
      if (waited < EAGER) await turn();
      else await sleep(Math.min(LONGEST, Math.max(SHORTEST, waited * PART)));
    }
  }

  /**
   * Maps the first `bytes` of a buffer for reading once the device is done with it.
   * @throws what the map is refused with, such as the loss of the device
   */
  mapped(buffer: Pick<GPUBuffer, "mapAsync" | "unmap">, bytes: number): Promise<void> {
    return this.until(() => this.#tryMap(buffer, bytes));
  }

  /** Whether the buffer is mapped now; if not, no map is left open. */
  async #tryMap(buffer: Pick<GPUBuffer, "mapAsync" | "unmap">, bytes: number): Promise<boolean> {
    let outcome: { readonly error?: unknown } | undefined;
    const settled = buffer.mapAsync(mapMode.READ, 0, bytes).then(
      () => void (outcome = {}),
      (error: unknown) => void (outcome = { error }),
    );
    for (let i = 0; i < TURNS && !outcome; i++) await this.#clock.turn();
    if (!outcome) {
      buffer.unmap();
      await settled;
      return false;
    }
    if ("error" in outcome) throw outcome.error;
    return true;
  }
}
