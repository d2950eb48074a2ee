import type { Stage } from "../../interfaces/method.ts";
import type { RecordedCommand } from "../loop/control.ts";
import type { Moment } from "../update/leftOut.ts";
import { learnersOf } from "../update/roles.ts";

/** A stage by its place in the method, and the step that comes next in it. */
export interface Position {
  readonly stage: number;
  readonly step: number;
  /** How many turns of it are done already; none where absent. */
  readonly turn?: number;
}

/** How far a run is. */
export class Progress {
  readonly #stages: () => readonly Stage[];
  /** The stage that is on, or was last, and the step that comes next in it. */
  position: Position = { stage: 0, step: 0 };
  /** Whether some roles have had their turn of a step and others have not. */
  midStep = false;
  /** Weights that were set since the newest checkpoint, to be set again after a loss of the device. */
  orders: RecordedCommand[] = [];

  /** @param stages of the method, as it is now: a loss of the device makes it anew */
  constructor(stages: () => readonly Stage[]) {
    this.#stages = stages;
  }

  get stages(): readonly Stage[] {
    return this.#stages();
  }
  get stage(): Stage {
    return this.stages[this.position.stage];
  }

  /** Steps that are complete, of all stages. */
  get completed(): number {
    const { stage, step } = this.position;
    return this.stages.slice(0, stage).reduce((sum, { steps }) => sum + steps, step);
  }

  /** How far a role is: the step of the stage and, where it learns, the steps of its earlier stages before that. */
  stepOf(role: string): number {
    const { stage: place, step } = this.position;
    if (!learnersOf(this.stage).has(role)) return step;
    const earlier = this.stages.slice(0, place).filter((stage) => learnersOf(stage).has(role));
    return earlier.reduce((sum, { steps }) => sum + steps, step);
  }

  /** A stage begins. */
  enter(place: number): void {
    this.position = { stage: place, step: 0 };
    this.orders = [];
  }

  /** A step of the stage that is on comes next. */
  reach(step: number): void {
    this.position = { stage: this.position.stage, step };
  }

  /** The states are those of the moment where updates stopped to change them. */
  standAt({ at: { step, place } }: { readonly at: Moment }): void {
    this.position = { stage: this.position.stage, step, turn: place };
  }
}
