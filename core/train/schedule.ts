import { lastValueFrom, Observable } from "rxjs";
import type { EventBus } from "./bus.ts";
import { CommandDesk } from "./commandDesk.ts";
import { type Command, Control } from "./control.ts";
import type { Scalars } from "./events.ts";

/** Who can be updated in a step. */
export type Phase = "teacher" | "generator" | "critic";

/** What a step consists of, in order; pure. */
export type PhasesAt<P extends Phase> = (step: number) => readonly P[];

/**
 * Two time-scale update rule: the critic moves every step, the generator before it in every `ratio`-th
 * (Yin et al. 2024, DMD2, arXiv:2405.14867). `ratio` is criticStepsPerGeneratorStep, a whole number >= 1.
 */
export const phasesAt = (step: number, ratio: number): readonly ("generator" | "critic")[] =>
  step % ratio === 0 ? ["generator", "critic"] : ["critic"];

/** The phases of distillation at a TTUR ratio; 5 in the paper. */
export const alternating =
  (ratio = 5): PhasesAt<"generator" | "critic"> =>
  (step) =>
    phasesAt(step, ratio);

/** The phases of teacher training. */
export const teacherOnly: PhasesAt<"teacher"> = () => ["teacher"];

/** What a schedule needs to know. */
export interface SchedulePlan<P extends Phase> {
  readonly phasesAt: PhasesAt<P>;
  /** One update of a role; resolves when the next may start. A rejection ends the run. */
  readonly update: Readonly<Record<P, (step: number) => Promise<Scalars>>>;
  readonly bus: EventBus;
  /** The step to end before. */
  readonly steps: number;
  /** The first step, 0 by default; a resumed run starts at the checkpoint's. */
  readonly start?: number;
  readonly control?: Control;
  /** Carries out checkpoint, sample and set-weight between two steps. A rejection becomes a warning, the run goes on. */
  readonly obey?: (command: Command, step: number) => Promise<void> | void;
}

/**
 * The alternation, the only place that knows it. Subscribing runs it once: each update is called and, when it has resolved,
 * emitted as `<phase>/updated`; phases never overlap; the number of each finished step is the value. It completes after
 * the last step or a stop, and errors when an update rejects. Unsubscribing gives up before the next phase; `control.done`
 * tells when the current one is over.
 */
export function schedule<P extends Phase>(plan: SchedulePlan<P>): Observable<number> {
  return new Observable<number>((subscriber) => {
    const { bus, update, steps, start = 0, control = new Control() } = plan;
    const desk = new CommandDesk(control, plan, () => subscriber.closed);
    subscriber.add(() => desk.leave());
    control.begin();

    const run = async () => {
      for (let step = start; step < steps; step++) {
        await desk.betweenSteps(step);
        if (desk.stopped) return;
        let ms = 0;
        for (const phase of plan.phasesAt(step)) {
          await desk.betweenPhases(step);
          if (subscriber.closed) return;
          const began = performance.now();
          const losses = await update[phase](step);
          ms += performance.now() - began;
          bus.emit(`${phase as Phase}/updated`, { step, losses });
        }
        bus.emit("step/end", { step, ms });
        subscriber.next(step);
      }
      await desk.afterwards(steps);
    };
    run()
      .finally(() => control.end())
      .then(
        () => subscriber.complete(),
        (error) => subscriber.error(error),
      );
  });
}

/**
 * Runs a schedule to its end. Resolves with the number of the step that would come next, which is `plan.steps` unless the
 * run was stopped; rejects when an update does.
 */
export async function runSchedule<P extends Phase>(plan: SchedulePlan<P>): Promise<number> {
  const defaultValue = (plan.start ?? 0) - 1;
  return (await lastValueFrom(schedule(plan), { defaultValue })) + 1;
}
