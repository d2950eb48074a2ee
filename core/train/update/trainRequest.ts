import type { GivenDraws } from "../batch/givenDraws.ts";
import type { Command, Control } from "../loop/control.ts";
import type { TurnAt } from "../loop/schedule.ts";
import type { Ranks } from "../ranks/ranks.ts";
import type { Traces } from "./traces.ts";

/** What a trainer may be given. */
export interface TrainerOptions {
  readonly draws?: GivenDraws;
  readonly traces?: Traces;
  /** This process alone by default. */
  readonly ranks?: Ranks;
}

/** How to run a stage. */
export interface TrainRequest {
  /** The first step; a resumed run starts at its checkpoint's. */
  readonly start?: number;
  /** How many turns of it are done already. */
  readonly startTurn?: number;
  /** The step that is not done any more; the stage's number of steps by default. */
  readonly end?: number;
  /** Called before each update. */
  readonly before?: (at: TurnAt) => Promise<void>;
  readonly control?: Control;
  /** Awaited before the turns of a step. */
  readonly beforeStep?: (step: number) => Promise<void>;
  /** Carries out `checkpoint` between two steps. */
  readonly obey?: (command: Command, step: number) => Promise<void>;
}
