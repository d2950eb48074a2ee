import { isLoss } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import type { HealthWarning, Judgement } from "../../core/train/mod.ts";
import { type LoggedEvent, loggedLosses, logLines } from "./logLines.ts";

/** Values of a number by the step at which it was read. */
export type Course = ReadonlyMap<number, number>;

/** What the log of a run tells, of all times that it was started. */
export interface RunHistory {
  readonly device?: string;
  /** How it ended the last time; undefined where it has not, or was killed. */
  readonly reason?: string;
  /** Why it failed, if it did. */
  readonly fault?: string;
  /** The last word on each set of samples that was judged. */
  readonly judgements: readonly Judgement[];
  readonly warnings: readonly HealthWarning[];
  /** Losses by stage, then by `role: loss`. */
  readonly losses: ReadonlyMap<string, ReadonlyMap<string, Course>>;
  /** Numbers of metrics while the run went on, by name, then by `role, stage`. */
  readonly judged: ReadonlyMap<string, ReadonlyMap<string, Course>>;
}

/** Reads the log that `eventLog` has written; what is not as it should be is passed over. */
export async function runHistory(files: FileSystem, path: string): Promise<RunHistory> {
  const losses = new Map<string, Map<string, Map<number, number>>>();
  const judged = new Map<string, Map<string, Map<number, number>>>();
  const judgements = new Map<string, Judgement>();
  const warnings = new Map<string, HealthWarning>();
  let ending: { device?: string; reason?: string; fault?: string } = {};
  const take = (event: LoggedEvent) => {
    const reading = loggedLosses(event);
    if (reading)
      for (const [name, value] of Object.entries(reading.values))
        if (isLoss(name)) courseIn(losses, reading.stage, `${reading.role}: ${name}`).set(reading.step, value);
    if (event.type === "run/start") ending = { device: textOf(event.device) };
    if (event.type === "run/failed") ending.fault = textOf((event.error as { message?: unknown } | null)?.message);
    if (event.type === "run/end") ending.reason = textOf(event.reason);
    if (event.type === "samples/judged" && isJudgement(event)) judgements.set(event.who, event);
    if (event.type === "health/warned" && isWarning(event))
      warnings.set(`${event.monitor} ${event.stage} ${event.step}`, event);
    if (event.type === "learner/judged" && typeof event.step === "number")
      for (const [name, value] of Object.entries((event.metrics ?? {}) as Record<string, unknown>))
        courseIn(judged, name, `${event.role}, ${event.stage}`).set(event.step, Number(value));
  };
  if (await files.exists(path)) for await (const event of logLines(files, path)) if (event) take(event);
  return { ...ending, judgements: [...judgements.values()], warnings: [...warnings.values()], losses, judged };
}

/** The course of a name in a group, there from now on. */
function courseIn(groups: Map<string, Map<string, Map<number, number>>>, group: string, name: string) {
  const courses = groups.get(group) ?? new Map<string, Map<number, number>>();
  groups.set(group, courses);
  const course = courses.get(name) ?? new Map<number, number>();
  courses.set(name, course);
  return course;
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const isJudgement = (event: LoggedEvent): event is LoggedEvent & Judgement =>
  typeof event.who === "string" &&
  typeof event.nfe === "number" &&
  typeof event.count === "number" &&
  typeof event.metrics === "object" &&
  event.metrics !== null;

const isWarning = (event: LoggedEvent): event is LoggedEvent & HealthWarning =>
  ["monitor", "stage", "message", "advice"].every((name) => typeof event[name] === "string") &&
  ["step", "steps"].every((name) => typeof event[name] === "number");
