import { firstValueFrom, type Observable, Subject } from "rxjs";
import { failure, invariant } from "../../errors.ts";

/** What a run can be told while it goes on. Serialisable, so that the record of them can be replayed. */
export type Command =
  | { readonly type: "pause" }
  | { readonly type: "resume" }
  | { readonly type: "stop" }
  | { readonly type: "checkpoint" }
  | { readonly type: "sample" }
  | { readonly type: "evaluate" }
  | { readonly type: "set-weight"; readonly loss: string; readonly weight: number };

/** A command and the step before which it took effect: the payload of `control/received`. */
export interface RecordedCommand {
  readonly step: number;
  readonly command: Command;
}

/**
 * The way into a run; one serves one run. Pausing holds the run between two turns. All other commands wait
 * for the end of the step, so that no step is ever half done in a checkpoint and the step number is all a replay needs.
 */
export class Control {
  readonly #arrivals = new Subject<Command>();
  readonly #pending: Command[] = [];
  readonly #script: RecordedCommand[];
  #begun = false;
  #finish: () => void = () => {};

  /** Commands as they arrive. They take effect later, which `control/received` tells. */
  readonly commands: Observable<Command> = this.#arrivals.asObservable();

  /** Resolves, and never rejects, when the run has ended and its last turn is over: buffers may be disposed now. */
  readonly done: Promise<void> = new Promise((resolve) => {
    this.#finish = resolve;
  });

  /** With `script`, the recorded commands of an earlier run take effect before the same steps again, pauses left out. */
  constructor(script: Iterable<RecordedCommand> = []) {
    const timeless = [...script].filter(({ command: { type } }) => !/^(pause|resume)$/.test(type));
    this.#script = timeless.sort((a, b) => a.step - b.step);
  }

  /** Holds the run between two turns until `resume` or `stop`. */
  pause(): void {
    this.send({ type: "pause" });
  }

  /** Lets a paused run go on. */
  resume(): void {
    this.send({ type: "resume" });
  }

  /** Ends the run after the current step, also when it is paused; resolves as `done` does. */
  stop(): Promise<void> {
    this.send({ type: "stop" });
    return this.done;
  }

  /** Asks for a checkpoint after the current step. */
  checkpoint(): void {
    this.send({ type: "checkpoint" });
  }

  /** Asks for a few samples of the role that is learning, after the current step. */
  sample(): void {
    this.send({ type: "sample" });
  }

  /** Changes the weight of a loss after the current step. Throws E_OPTION unless `weight` is finite and at least 0. */
  setWeight(loss: string, weight: number): void {
    this.send({ type: "set-weight", loss, weight });
  }

  /** Sends a command; the methods above are short for it. */
  send(command: Command): void {
    if (command.type === "set-weight" && !isWeight(command.weight)) {
      throw failure(
        "E_OPTION",
        `Cannot set the weight of ${command.loss}: it must be a number in [0, inf), current value is ${command.weight}`,
      );
    }
    this.#pending.push(command);
    this.#arrivals.next(command);
  }

  /** For the schedule: claims this control for a run. */
  begin(): void {
    invariant(!this.#begun, "a Control serves one run, this one has served already");
    this.#begun = true;
  }

  /** For the schedule: the commands that are due before `step`, each handed out once. */
  take(step: number): Command[] {
    const due = this.#script.filter((recorded) => recorded.step <= step);
    this.#script.splice(0, due.length);
    return [...due.map(({ command }) => command), ...this.#pending.splice(0)];
  }

  /** For the schedule: resolves when there is a command to take. */
  async arrival(): Promise<void> {
    if (this.#pending.length === 0) await firstValueFrom(this.#arrivals);
  }

  /** For the schedule: the run has ended. */
  end(): void {
    this.#finish();
  }
}

// Commands may come from a page or a file, where the type checker has no say.
function isWeight(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
