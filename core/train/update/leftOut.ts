import { OnestepError } from "../../errors.ts";
import type { Stage } from "../../interfaces/method.ts";
import { type TurnAt, turnsAt } from "../loop/schedule.ts";
import type { NonFinitePolicy } from "./verdict.ts";

/** An update that was left out because it was not finite. */
export interface LeftOut {
  readonly stage: string;
  readonly role: string;
  readonly step: number;
  /** Names of the losses that are NaN or infinite. */
  readonly losses: readonly string[];
  /** Whether the norm of the gradient is. */
  readonly gradient: boolean;
  /** The first value that is not finite though all it is made from is, in words; absent where it was not found. */
  readonly origin?: string;
  /** What becomes of the run. */
  readonly policy: NonFinitePolicy;
  /** Updates of the role that were left out one after the other, this one included. */
  readonly inRow: number;
}

/** Says what was not finite, where, and where it comes from: half a sentence. */
export function leftOutText(update: LeftOut): string {
  const { stage, step, losses, gradient, origin } = update;
  const from = origin ? `; it begins in ${origin}` : "";
  const isMany = losses.length + Number(gradient) > 1;
  return `${whatIsIn(update)} ${isMany ? "are" : "is"} NaN or infinite at step ${step} of stage ${stage}${from}`;
}

/** What was not finite: `loss a, loss b and the gradient norm`. */
export function whatIsIn({ losses, gradient }: Pick<LeftOut, "losses" | "gradient">): string {
  const what = [...losses.map((name) => `loss ${name}`), ...(gradient ? ["the gradient norm"] : [])];
  return [what.slice(0, -1).join(", "), ...what.slice(-1)].filter((text) => text !== "").join(" and ");
}

/** A point within a stage: the turns before `place` of this step are done. */
export type Moment = Pick<TurnAt, "step" | "place">;

/** The point behind a turn. */
export function momentAfter(stage: Pick<Stage, "cycle">, { step, place }: Moment): Moment {
  return place + 1 < turnsAt(stage, step).length ? { step, place: place + 1 } : { step: step + 1, place: 0 };
}

/** E_DIVERGED of updates that were left out: all states are as they were at `at`, so a run can go on from there. */
export class Divergence extends OnestepError {
  override name = "Divergence";
  readonly at: Moment;
  readonly update: LeftOut;
  /** Whether lower learning rates have come to the same. */
  readonly persists: boolean;
  constructor(message: string, update: LeftOut, at: Moment, persists = false) {
    super("E_DIVERGED", message);
    this.update = update;
    this.at = at;
    this.persists = persists;
  }
}
