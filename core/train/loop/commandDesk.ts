import { isDeviceLost } from "../../errors.ts";
import { breathe } from "./breathe.ts";
import type { EventBus } from "./bus.ts";
import type { Command, Control } from "./control.ts";

/** What the desk does with a command that has taken effect. */
export interface Orders {
  readonly bus: EventBus;
  readonly obey?: (command: Command, step: number) => Promise<void> | void;
  /** Where several processes run this: those that rank 0 has taken, for all of them. */
  readonly agree?: Agreement;
}

/** How processes come to obey the same commands before the same turns. */
export interface Agreement {
  /** Whether commands of this process count. */
  readonly leads: boolean;
  /** Gives all the commands of the one that leads. All must ask at once. */
  take(commands: readonly Command[]): Promise<readonly Command[]>;
}

/** Commands of a run wait here until they may take effect; a paused run waits here for `resume`. */
export class CommandDesk {
  readonly #control: Control;
  readonly #orders: Orders;
  readonly #abandoned: () => boolean;
  readonly #left: Promise<void>;
  #due: Command[] = [];
  #paused = false;
  #stopping = false;

  /** `abandoned` tells whether the subscriber has left the run. */
  constructor(control: Control, orders: Orders, abandoned: () => boolean) {
    this.#control = control;
    this.#orders = orders;
    this.#abandoned = abandoned;
    this.#left = new Promise((resolve) => {
      this.leave = resolve;
    });
  }

  /** Ends all waiting, for a run that is abandoned. */
  leave: () => void = () => {};

  /** Whether no further step may start. */
  get stopped(): boolean {
    return this.#stopping || this.#abandoned();
  }

  /** Waits while paused; other commands are kept for the end of the step. */
  async betweenTurns(step: number): Promise<void> {
    await breathe();
    await this.#collect(step);
    while (this.#paused && !this.stopped) {
      await this.#arrival();
      await this.#collect(step);
    }
  }

  /** Carries out what has arrived, then waits while paused, carrying out what arrives. */
  async betweenSteps(step: number): Promise<void> {
    await breathe();
    await this.afterwards(step);
    while (this.#paused && !this.stopped) {
      await this.#arrival();
      await this.afterwards(step);
    }
  }

  /** Something to take: the others wait in the agreement, for the one that leads. */
  async #arrival(): Promise<void> {
    if (this.#orders.agree?.leads ?? true) await Promise.race([this.#control.arrival(), this.#left]);
  }

  /** Carries out what has arrived, without waiting for more. */
  async afterwards(step: number): Promise<void> {
    await this.#collect(step);
    for (let command = this.#due.shift(); command; command = this.#due.shift()) {
      this.#orders.bus.emit("control/received", { step, command });
      if (command.type !== "stop") await this.#obey(command, step);
    }
  }

  async #collect(step: number): Promise<void> {
    const taken = this.#control.take(step);
    const { agree } = this.#orders;
    for (const command of agree ? await agree.take(taken) : taken) {
      if (command.type === "pause" || command.type === "resume") {
        this.#paused = command.type === "pause";
        this.#orders.bus.emit("control/received", { step, command });
      } else {
        if (command.type === "stop") this.#stopping = true;
        this.#due.push(command);
      }
    }
  }

  async #obey(command: Command, step: number): Promise<void> {
    try {
      await this.#orders.obey?.(command, step);
    } catch (error) {
      // What ends a run, such as a checkpoint that can't be had, has been weighed by the one who carries it out.
      if (command.type === "checkpoint" || isDeviceLost(error)) throw error;
      const message = error instanceof Error ? error.message : String(error);
      this.#orders.bus.emit("run/warning", { source: `control/${command.type}`, message });
    }
  }
}
