import { lastValueFrom, Observable } from "rxjs";
import type { EventBus } from "./bus.ts";
import { CommandDesk } from "./commandDesk.ts";
import { type Command, Control } from "./control.ts";
import type { Scalars } from "./events.ts";

/** Who can be updated in a step. */
export type Phase = "teacher" | "generator" | "critic";

/** What a step consists of, in order; pure. */
export type PhasesAt<P extends Phase> = (step: number) => readonly P[];

/** Two time-scale update rule: how often each role moves in a cycle. Whole numbers >= 1. */
export interface Ttur {
  readonly critic: number;
  /** 1 by default. */
  readonly generator?: number;
  /**
   * Whether a step belongs to one role. Then a cycle is `generator` steps of the generator and `critic` of the critic after
   * them; otherwise it is as long as the larger number, and each role moves in its first steps, the generator first.
   */
  readonly exclusive?: boolean;
}

/**
 * Who moves at a step. At 5:1 the critic moves every step and the generator before it in every fifth, as DMD2 does
 * (Yin et al. 2024, arXiv:2405.14867). A number is the critic's share, to one of the generator.
 */
export function phasesAt(step: number, ttur: number | Ttur): readonly ("generator" | "critic")[] {
  const {
    critic,
    generator = 1,
    exclusive = false,
  } = typeof ttur === "number" ? { critic: ttur } : ttur;
  if (exclusive) return step % (critic + generator) < generator ? ["generator"] : ["critic"];
  const place = step % Math.max(critic, generator);
  const moves = { generator: place < generator, critic: place < critic };
  return (["generator", "critic"] as const).filter((role) => moves[role]);
}

/** The phases of distillation at a TTUR ratio; 5:1 in the paper. */
export const alternating =
  (ttur: number | Ttur = 5): PhasesAt<"generator" | "critic"> =>
  (step) =>
    phasesAt(step, ttur);

/** The phases of teacher training. */
export const teacherOnly: PhasesAt<"teacher"> = () => ["teacher"];

/** An update of a role at a step. */
export interface Turn<P extends Phase = Phase> {
  readonly phase: P;
  readonly step: number;
}

/** What a schedule needs to know. */
export interface SchedulePlan<P extends Phase> {
  readonly phasesAt: PhasesAt<P>;
  /**
   * One update of a role; resolves when the next may start. A rejection ends the run. It is told whose turn is next, unless
   * the run is stopped, so that it can prepare for it; nobody is after the last.
   */
  readonly update: Readonly<Record<P, (step: number, next?: Turn<P>) => Promise<Scalars>>>;
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
        for (const [place, phase] of plan.phasesAt(step).entries()) {
          await desk.betweenPhases(step);
          if (subscriber.closed) return;
          const began = performance.now();
          const losses = await update[phase](step, turnAfter(plan, step, place));
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

/** The turn that follows the `place`-th of a step. */
function turnAfter<P extends Phase>(
  { phasesAt, steps }: Pick<SchedulePlan<P>, "phasesAt" | "steps">,
  step: number,
  place: number,
): Turn<P> | undefined {
  const rest = phasesAt(step).slice(place + 1);
  if (rest.length > 0) return { phase: rest[0], step };
  const following = step + 1 < steps ? phasesAt(step + 1) : [];
  return following.length > 0 ? { phase: following[0], step: step + 1 } : undefined;
}

/**
 * Runs a schedule to its end. Resolves with the number of the step that would come next, which is `plan.steps` unless the
 * run was stopped; rejects when an update does.
 */
export async function runSchedule<P extends Phase>(plan: SchedulePlan<P>): Promise<number> {
  const defaultValue = (plan.start ?? 0) - 1;
  return (await lastValueFrom(schedule(plan), { defaultValue })) + 1;
}
