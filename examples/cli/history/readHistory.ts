/** What a run's folder tells about the run: its sessions, stages, readings and events, from the files alone. */
import { failure } from "../../../core/errors.ts";
import type { Reading } from "../../../core/interfaces/mod.ts";
import type { FileSystem } from "../../../core/io/files.ts";
import { isRecord } from "../../../core/plugin/spec.ts";
import { listCheckpoints } from "../../../core/train/files/checkpoint.ts";
import { runFolder } from "../../../core/train/files/runFolder.ts";
import { type LoggedEvent, loggedLosses, logLines } from "../../../plugins/observers/logLines.ts";

/** A time in which one process trained. */
export interface Session {
  readonly device: string;
  /** Every event but those of steps and updates, in order. */
  readonly events: LoggedEvent[];
  /** What monitors look at. */
  readonly readings: Reading[];
  /** The same made of logged losses, for runs of versions that took no readings. */
  readonly losses: Reading[];
  /** Steps that are done, by stage. */
  readonly done: Map<string, number>;
  /** Seconds from its beginning to its last event. */
  seconds: number;
}

/** A run as its folder has it. */
export interface History {
  readonly path: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** With their lengths as the last session planned them. */
  readonly stages: readonly { readonly name: string; readonly steps: number }[];
  readonly sessions: readonly Session[];
  /** Lines of the log that are no events. */
  readonly damaged: number;
  /** Files of checkpoints, the furthest first. */
  readonly checkpoints: readonly string[];
}

/** Events that come with every step, or with what is told by another. */
const ROUTINE = new Set(["step/end", "role/updated", "role/diagnosed", "health/read", "sample/drawn"]);

/** Commands that an event of their own follows. */
const ANSWERED = new Set(["checkpoint", "sample", "evaluate"]);

const isRoutine = ({ type, command }: LoggedEvent): boolean =>
  ROUTINE.has(type) || /^\w+\/updated$/.test(type) || (isRecord(command) && ANSWERED.has(String(command.type)));

/**
 * Reads a run's folder and writes nothing.
 * @throws E_CHECKPOINT where there is no run, no log of one, or no event in it
 */
export async function readHistory(files: FileSystem, path: string): Promise<History> {
  const folder = runFolder(files, path);
  const refuse = (why: string, fix: string) =>
    failure("E_CHECKPOINT", `Cannot tell what happened in ${path}: ${why}`, { fix });
  if (!(await files.exists(path))) throw refuse("there is no such folder", "give the folder of a run");
  if (!(await files.exists(folder.events)))
    throw refuse(
      (await folder.holdsRun()) ? "it has no events.jsonl, a run's folder should have one" : "it holds no run",
      "give the folder of a run, such as runs/gaussians",
    );
  const sessions: Session[] = [];
  let config: History["config"] = {};
  let stages: History["stages"] = [];
  let damaged = 0;
  for await (const event of logLines(files, folder.events)) {
    if (!event) {
      damaged++;
      continue;
    }
    if (event.type === "run/start") {
      const device = String(event.device ?? "");
      sessions.push({ device, events: [], readings: [], losses: [], done: new Map(), seconds: 0 });
      if (isRecord(event.config)) config = event.config;
      stages = stagesOf(event);
    }
    const session = sessions.at(-1);
    if (!session) continue;
    session.seconds = event.at ?? session.seconds;
    note(session, event, stages);
    if (!isRoutine(event)) session.events.push(event);
  }
  if (sessions.length === 0)
    throw refuse(
      `no line of its events.jsonl says that a run began${damaged > 0 ? `, ${damaged} can't be read` : ""}`,
      "restore the file, or look at losses.svg and report.json in the folder",
    );
  const checkpoints = await listCheckpoints(files, folder.checkpoint);
  return { path, config, stages, sessions, damaged, checkpoints };
}

/** Logs of 0.1.0 do not list the stages. */
function stagesOf({ stages, config, steps }: LoggedEvent): History["stages"] {
  if (Array.isArray(stages))
    return stages.filter(isRecord).map(({ name, steps }) => ({ name: String(name), steps: Number(steps) }));
  const { steps: distillation = Number(steps) } = (isRecord(config) && isRecord(config.train) ? config.train : {}) as {
    steps?: number;
  };
  return [
    { name: "teacher", steps: Number(steps) - distillation },
    { name: "distillation", steps: distillation },
  ];
}

/** Keeps how far a session came, and its readings. */
function note({ done, readings, losses }: Session, event: LoggedEvent, stages: History["stages"]): void {
  // Logs of 0.1.0 do not name the stage: it is that of the last update, all of which were told.
  const within = event.stage ?? losses.at(-1)?.stage;
  if (event.type === "step/end") done.set(String(within), Number(event.step) + 1);
  if (event.type === "health/read" && isRecord(event.values)) readings.push(readingOf(event, event.values));
  const logged = loggedLosses(event);
  if (!logged) return;
  const { stage, role, step } = logged;
  const last = losses.at(-1);
  const same = last?.stage === stage && last.step === step ? last : undefined;
  const own = Object.entries(logged.values).map(([name, value]) => [`${role}/${name}`, value]);
  const values = { ...same?.values, ...Object.fromEntries(own) };
  if (same) losses.pop();
  losses.push({ stage, step, steps: stages.find(({ name }) => name === stage)?.steps ?? step + 1, values });
}

const readingOf = ({ stage, step, steps }: LoggedEvent, values: Readonly<Record<string, unknown>>): Reading => ({
  stage: String(stage),
  step: Number(step),
  steps: Number(steps),
  values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)])),
});
