import { lastValueFrom, Observable } from "rxjs";
import type { Stage, Turn } from "../../interfaces/method.ts";
import type { EventBus } from "./bus.ts";
import { type Agreement, CommandDesk } from "./commandDesk.ts";
import { type Command, Control } from "./control.ts";
import type { Scalars } from "./events.ts";
import type { Pacing } from "./pacing.ts";

/** A turn at a step. */
export interface TurnAt {
  readonly turn: Turn;
  readonly step: number;
  /** Which of the step's turns it is, counted from 0. */
  readonly place: number;
}

/** The turns of a step, in order. */
export const turnsAt = ({ cycle }: Pick<Stage, "cycle">, step: number): readonly Turn[] => cycle[step % cycle.length];

/** What a schedule needs to know. */
export interface SchedulePlan {
  readonly stage: Pick<Stage, "name" | "steps" | "cycle">;
  /**
   * One update; resolves when the next may start. A rejection ends the run. It gets the next turn, to prepare for it, unless
   * the run is stopped or this turn is the last.
   */
  readonly update: (at: TurnAt, next?: TurnAt) => Promise<Scalars>;
  readonly bus: EventBus;
  /** The first step, 0 by default; a resumed run starts at the checkpoint's. */
  readonly start?: number;
  /** How many turns of the first step are done already; 0 by default. */
  readonly startTurn?: number;
  /** The step before which it ends; the stage's number of steps by default. */
  readonly end?: number;
  readonly control?: Control;
  /** Which turns are taken; all where absent. */
  readonly pacing?: Pacing;
  /** Awaited before the turns of a step. A rejection ends the run. */
  readonly before?: (step: number) => Promise<void>;
  /** Carries out checkpoint, sample, evaluate and set-weight between two steps. A rejection becomes a warning, the run goes on. */
  readonly obey?: (command: Command, step: number) => Promise<void> | void;
  /** Where several processes run this: how they obey the same commands before the same turns. */
  readonly agree?: Agreement;
}

/**
 * The alternation, the only place that knows it: the cycle of a stage, step after step. Subscribing runs it once: each update
 * is called and, when it has resolved, emitted as `role/updated`; turns never overlap; the number of each finished step is the
 * value. It completes after the last step or a stop, and errors when an update rejects. Unsubscribing gives up before the next
 * turn; `control.done` tells when the current one is over.
 */
export function schedule(plan: SchedulePlan): Observable<number> {
  return new Observable<number>((subscriber) => {
    const { stage, bus, update, pacing, start = 0, startTurn = 0, end = stage.steps, control = new Control() } = plan;
    const desk = new CommandDesk(control, plan, () => subscriber.closed);
    subscriber.add(() => desk.leave());
    control.begin();

    const run = async () => {
      for (let step = start; step < end; step++) {
        await desk.betweenSteps(step);
        if (desk.stopped) return;
        await plan.before?.(step);
        let ms = 0;
        for (const [place, turn] of turnsAt(stage, step).entries()) {
          if (step === start && place < startTurn) continue;
          await desk.betweenTurns(step);
          if (subscriber.closed) return;
          const at = { turn, step, place };
          if (pacing && !pacing.takes(at)) continue;
          const began = performance.now();
          const losses = await update(at, turnAfter(stage, step, place));
          await pacing?.saw(turn.role, losses);
          ms += performance.now() - began;
          bus.emit("role/updated", { stage: stage.name, role: turn.role, step, losses });
        }
        bus.emit("step/end", { stage: stage.name, step, ms });
        subscriber.next(step);
      }
      await desk.afterwards(end);
    };
    run()
      .finally(() => control.end())
      .then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
  });
}

/** The turn that follows the `place`-th of a step. */
function turnAfter(stage: SchedulePlan["stage"], step: number, place: number): TurnAt | undefined {
  const [turn] = turnsAt(stage, step).slice(place + 1);
  if (turn) return { turn, step, place: place + 1 };
  const after = step + 1;
  return after < stage.steps ? { turn: turnsAt(stage, after)[0], step: after, place: 0 } : undefined;
}

/**
 * Runs a schedule to its end. Resolves with the number of the step that would come next, which is the stage's number of steps
 * unless the run was stopped; rejects when an update does.
 */
export async function runSchedule(plan: SchedulePlan): Promise<number> {
  const defaultValue = (plan.start ?? 0) - 1;
  return (await lastValueFrom(schedule(plan), { defaultValue })) + 1;
}
