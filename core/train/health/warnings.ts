import type { Finding, Monitor, Reading, Watch } from "../../interfaces/monitor.ts";
import { attempt } from "../../plugin/made.ts";

/** What a monitor has found, at the beginning of a stretch in which it goes on finding it. */
export interface HealthWarning {
  /** Its name. */
  readonly monitor: string;
  readonly stage: string;
  readonly step: number;
  readonly steps: number;
  readonly message: string;
  readonly advice: string;
  readonly severe: boolean;
}

/** The end of a stretch. */
export interface HealthEased {
  readonly monitor: string;
  readonly stage: string;
  readonly step: number;
  /** The step of its warning. */
  readonly since: number;
}

/** What a reading has changed. */
export interface Changes {
  readonly warnings: readonly HealthWarning[];
  readonly eased: readonly HealthEased[];
  /** Of monitors that have failed. */
  readonly faults: readonly Error[];
}

/** Readings without a finding, in a row, that end a stretch. */
const CALM = 3;

/** Readings that are kept at least: those of 40,000 steps, between which there are many checkpoints. */
const KEPT = 2000;

/** A stretch that is on. */
interface Stretch {
  readonly since: number;
  severe: boolean;
  calm: number;
}

/** Leads readings past monitors and makes stretches of what they find: one warning for each, another when it becomes severe. */
export class Watchers {
  readonly #monitors: readonly Monitor[];
  #stage: string | undefined;
  #watches: readonly (readonly [string, Watch])[] = [];
  readonly #on = new Map<string, Stretch>();
  /** What was read of the run, as far as it still holds: the last of it, from which it may have to begin again. */
  #past: Reading[] = [];

  constructor(monitors: readonly Monitor[]) {
    this.#monitors = monitors;
  }

  /**
   * What begins and what ends with a reading. A reading of a step that was read before, as after a loss of the device, follows
   * those of the steps before it: the monitors begin anew and see these once more. A monitor that throws watches no longer.
   */
  take(reading: Reading): Changes {
    const { stage, step, steps } = reading;
    const again = this.#past.findIndex((each) => each.stage === stage && each.step >= step);
    if (again >= 0) this.#goBack(again);
    this.#past.push(reading);
    if (this.#past.length > 2 * KEPT) this.#past.splice(0, KEPT);
    if (stage !== this.#stage) {
      this.#stage = stage;
      this.#on.clear();
      this.#watches = this.#monitors.map((monitor) => [monitor.name, monitor.begin()]);
    }
    const warnings: HealthWarning[] = [];
    const eased: HealthEased[] = [];
    const faults: Error[] = [];
    for (const [monitor, watch] of this.#watches) {
      let finding: Finding | undefined;
      try {
        finding = attempt(`monitor "${monitor}"`, "watch", () => watch(reading));
      } catch (error) {
        faults.push(error as Error);
        this.#watches = this.#watches.filter(([name]) => name !== monitor);
      }
      const on = this.#on.get(monitor);
      if (finding) {
        const { message, advice, severe = false } = finding;
        if (!on || (severe && !on.severe)) warnings.push({ monitor, stage, step, steps, message, advice, severe });
        this.#on.set(monitor, { since: on?.since ?? step, severe: severe || !!on?.severe, calm: 0 });
      } else if (on && ++on.calm === CALM) {
        this.#on.delete(monitor);
        eased.push({ monitor, stage, step, since: on.since });
      }
    }
    return { warnings, eased, faults };
  }

  /** Back to when the first `count` readings had been taken. */
  #goBack(count: number): void {
    const before = this.#past.slice(0, count);
    this.#past = [];
    this.#stage = undefined;
    this.#on.clear();
    for (const reading of before) this.take(reading);
  }
}
