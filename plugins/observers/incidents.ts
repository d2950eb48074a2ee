import { leftOutText, type TrainEvents } from "../../core/train/mod.ts";

/** What a run survives. */
export type Incident = "role/left-out" | "run/rolled-back" | "device/lost";

/** An incident in words, for those who watch the run and those who read of it later. */
export const incidentText: { readonly [K in Incident]: (event: TrainEvents[K]) => string } = {
  "role/left-out": (update) => `left out an update of the ${update.role}: ${leftOutText(update)}`,
  "run/rolled-back": ({ stage, step, rate }) =>
    `went back to step ${step} of stage ${stage}; learning rates are multiplied by ${rate} from now on`,
  "device/lost": ({ stage, step, reason }) =>
    `the device was lost and is open again; the run goes on from step ${step} of stage ${stage} (${reason})`,
};

const times = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;

/**
 * Counts the updates that were left out, and how often the run went back. An update that is left out again after a loss of the
 * device, when its step is run once more, is one.
 */
export class IncidentCounts {
  readonly #leftOut = new Map<string, Set<string>>();
  #rollbacks = 0;
  #rate = 1;

  leftOut({
    role,
    stage,
    step,
    losses,
  }: Pick<TrainEvents["role/left-out"], "role" | "stage" | "step" | "losses">): void {
    const what = `the ${role}, ${losses.length > 0 ? `loss ${losses.join(" and ")}` : "its gradient"} not finite`;
    const known = this.#leftOut.get(what) ?? new Set<string>();
    // With other learning rates it is another update.
    known.add(JSON.stringify([stage, step, this.#rollbacks]));
    this.#leftOut.set(what, known);
  }

  rolledBack({ rate }: Pick<TrainEvents["run/rolled-back"], "rate">): void {
    this.#rollbacks++;
    this.#rate = rate;
  }

  /** A line for each sort; none where nothing happened. */
  lines(): string[] {
    const lines = [...this.#leftOut].map(
      ([what, { size }]) => `${times(size, "update")} ${size === 1 ? "was" : "were"} left out: of ${what}`,
    );
    if (this.#rollbacks > 0)
      lines.push(`the run went back ${times(this.#rollbacks, "time")}; learning rates are × ${this.#rate} since`);
    return lines;
  }
}
