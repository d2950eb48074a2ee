/** How long a program took on the device the last times it was watched, in milliseconds. */
export class Duration {
  readonly #recent: number[] = [];

  /** Rather too short than too long; 0 while nothing is known. */
  get estimate(): number {
    return this.#recent.length < WATCHED_BEFORE_TRUST ? 0 : Math.min(...this.#recent);
  }
  add(ms: number): void {
    this.#recent.push(ms);
    if (this.#recent.length > KEPT) this.#recent.shift();
  }
}

/** The first time says nothing: drivers compile when a kernel first runs. */
const WATCHED_BEFORE_TRUST = 2;
const KEPT = 4;
/** Part of the estimate that is slept through, and waits that are not worth a timer, in milliseconds. */
const SLEPT = 0.9;
const SHORT = 3;

/**
 * Waits for a device without spinning. Dawn in Node looks for the end of work as often as the event loop turns, which on a
 * software adapter takes a core from the very work that is waited for: so most of the time that it took the last times is
 * slept through first.
 */
export class Pace {
  readonly #sleeps: boolean;
  /** Programs under way since `#start`, when the device was last seen idle. */
  readonly #underWay: Duration[] = [];
  #start = 0;
  #expectedEnd = 0;

  /** `sleeps` false: only counts. */
  constructor(sleeps: boolean) {
    this.#sleeps = sleeps;
  }

  /** Runs submitted since the device was last seen idle. */
  get runs(): number {
    return this.#underWay.length;
  }

  submitted(duration: Duration): void {
    const now = performance.now();
    if (this.#underWay.length === 0) this.#start = now;
    this.#underWay.push(duration);
    this.#expectedEnd = Math.max(now, this.#expectedEnd) + duration.estimate;
  }

  /** Calls `ask` when its answer, which comes at the end of all work so far, is near. */
  async wait<T>(ask: () => Promise<T>): Promise<T> {
    if (!this.#sleeps) return ask();
    const runs = [...this.#underWay];
    const sleep = (this.#expectedEnd - performance.now()) * SLEPT;
    if (sleep > SHORT) await new Promise((resolve) => setTimeout(resolve, sleep));
    const asked = performance.now();
    const answer = await ask();
    this.#learn(runs, asked);
    return answer;
  }

  #learn(runs: readonly Duration[], asked: number): void {
    const now = performance.now();
    const seen = runs.filter((run, i) => this.#underWay[i] === run).length;
    // Another wait has already counted these runs.
    if (seen === 0 || seen < runs.length) return;
    this.#underWay.splice(0, seen);
    // An answer at once means that the end was slept through: the work took less than it seems.
    const took = (now - this.#start) * (now - asked < 1 ? 0.6 : 1);
    const known = runs.reduce((sum, run) => sum + run.estimate, 0);
    for (const run of runs) run.add(known > 0 ? (took * run.estimate) / known : took / runs.length);
    this.#start = now;
    if (this.#underWay.length === 0) this.#expectedEnd = now;
  }
}
