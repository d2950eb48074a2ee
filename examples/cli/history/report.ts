/** A run's history as text. */
import type { Monitor } from "../../../core/interfaces/mod.ts";
import { isRecord } from "../../../core/plugin/spec.ts";
import type { Judgement, TrainEvents } from "../../../core/train/mod.ts";
import type { LoggedEvent } from "../../../plugins/observers/logLines.ts";
import {
  duration,
  IncidentCounts,
  incidentText,
  judgedText,
  judgementTable,
  warningLines,
} from "../../../plugins/observers/mod.ts";
import { healthOf } from "./health.ts";
import type { History, Session } from "./readHistory.ts";

/** Events of one sort in a row of which the first and the number are said. */
const FEW = 3;

/** @param holder who trains in the folder now, in words */
export function historyReport(history: History, monitors: readonly Monitor[], holder?: string): string {
  const { path, config, sessions, stages, damaged, checkpoints } = history;
  const use = (section: string) => (isRecord(config[section]) ? String(config[section].use) : "?");
  const seed = isRecord(config.train) ? config.train.seed : "?";
  const method = isRecord(config.method) ? use("method") : "dmd2";
  const last = sessions[sessions.length - 1];
  const lines = [
    `run     ${path}: ${method} on ${use("dataset")}, network ${use("network")}, seed ${seed}; ${last.device}`,
    `stages  ${stages
      .filter(({ steps }) => steps > 0)
      .map(({ name, steps }) => `${name} ${doneOf(history, name)}/${steps}`)
      .join(", ")}`,
    `state   ${stateOf(history, holder)}`,
  ];
  if (checkpoints.length > 0) lines.push(`kept    ${checkpoints.join(", ")}`);
  if (damaged > 0)
    lines.push(`log     ${damaged} ${damaged === 1 ? "line is" : "lines are"} damaged, what they said is missing here`);
  for (const [i, session] of sessions.entries()) {
    const title = sessions.length > 1 ? `session ${i + 1} of ${sessions.length}` : "events";
    lines.push("", `${title}, ${duration(session.seconds)}`, ...timeline(session).map((line) => `  ${line}`));
  }
  lines.push("", ...incidentLines(history), ...healthLines(history, monitors));
  const judged = sessions.flatMap(({ events }) => events).filter(({ type }) => type === "samples/judged");
  if (judged.length > 0) lines.push("", judgementTable(judged as unknown as Judgement[]));
  return lines.join("\n");
}

/** Steps of a stage that are done; the last session says it, as one before may have gone further than its checkpoint. */
const doneOf = ({ sessions }: History, stage: string): number =>
  [...sessions]
    .reverse()
    .find(({ done }) => done.has(stage))
    ?.done.get(stage) ?? 0;

function stateOf({ sessions, stages }: History, holder: string | undefined): string {
  const { events, done, seconds } = sessions[sessions.length - 1];
  const stage = [...done.keys()].at(-1) ?? stages[0]?.name;
  const at = `${stage} step ${done.get(stage) ?? 0}`;
  const end = events.find(({ type }) => type === "run/end");
  const failed = events.find(({ type }) => type === "run/failed");
  const { code, message } = (isRecord(failed?.error) ? failed.error : {}) as { code?: string; message?: string };
  if (failed) return `failed at ${at}, after ${duration(seconds)}: ${code ? `${code}, ` : ""}${message}`;
  if (end)
    return end.reason === "complete"
      ? `complete, in ${duration(seconds)}`
      : `${end.reason} at ${at}, after ${duration(seconds)}`;
  if (holder) return `being trained by ${holder}; ${at}`;
  return `ended without a word after ${at}: killed, or the machine went down; --resume goes on from the last checkpoint`;
}

/** What is told elsewhere in the report. */
const ELSEWHERE = new Set(["samples/judged", "health/warned", "health/eased"]);

/** What happened in a session, a line each; many of one sort in a row are one line. */
function timeline({ events }: Session): string[] {
  const told = events.filter(({ type }) => !ELSEWHERE.has(type));
  const rows: string[] = [];
  for (let i = 0; i < told.length; ) {
    const { type } = told[i];
    let end = i;
    while (end < told.length && told[end].type === type) end++;
    const shown = end - i > FEW ? [told[i], told[end - 1]] : told.slice(i, end);
    for (const event of shown) rows.push(`${duration(event.at ?? 0).padStart(12)}  ${sentence(event)}`);
    if (end - i > FEW) rows.splice(-1, 0, `${"".padStart(12)}  … ${end - i - 2} more`);
    i = end;
  }
  return rows;
}

function sentence({ type, at: _, ...rest }: LoggedEvent): string {
  if (type === "control/received" && isRecord(rest.command)) return `${rest.command.type} before step ${rest.step}`;
  const { step, reason, message, source, path, error } = rest as Readonly<Record<string, string>>;
  if (type === "learner/judged" && isRecord(rest.metrics) && typeof rest.seconds === "number")
    return judgedText(rest as unknown as Parameters<typeof judgedText>[0]);
  if (type === "run/start") return "begins";
  if (type === "run/end") return `ends: ${reason}`;
  if (type === "run/warning") return `warning (${source}): ${message}`;
  if (type === "run/failed") return `fails at step ${step}: ${(error as { message?: string } | undefined)?.message}`;
  if (type === "checkpoint/saved") return `checkpoint at step ${step}: ${path}`;
  if (type === "loss/reweighted") return `the weight of loss ${rest.loss} is ${rest.weight} from step ${step} on`;
  if (type === "run/rolled-back" || type === "device/lost") return incidentText[type](rest as never);
  if (type === "role/left-out" && isLeftOut(rest)) return incidentText["role/left-out"](rest);
  const parts = Object.entries(rest).map(
    ([name, value]) => `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`,
  );
  return `${type.replace("/", " ")}: ${parts.join(", ")}`;
}

/** Whether an event of a log is a whole `role/left-out`; a log may hold anything. */
const isLeftOut = (event: object): event is TrainEvents["role/left-out"] => {
  const { losses, gradient, role } = event as Partial<TrainEvents["role/left-out"]>;
  return (
    Array.isArray(losses) &&
    losses.every((name) => typeof name === "string") &&
    typeof gradient === "boolean" &&
    typeof role === "string"
  );
};

/** What the run has survived, counted. */
function incidentLines({ sessions }: History): string[] {
  const counts = new IncidentCounts();
  for (const event of sessions.flatMap(({ events }) => events)) {
    if (event.type === "role/left-out" && isLeftOut(event)) counts.leftOut(event);
    if (event.type === "run/rolled-back") counts.rolledBack({ rate: Number(event.rate) });
  }
  return counts.lines().map((line, i) => `${i === 0 ? "updates" : ""}`.padEnd(8) + line);
}

function healthLines(history: History, monitors: readonly Monitor[]): string[] {
  const found = history.sessions.map((session) => healthOf(session, monitors));
  const warnings = found.flatMap((each) => each.warnings);
  const eased = found.flatMap((each) => each.eased);
  const known = new Set(monitors.map(({ name }) => name));
  const others = history.sessions
    .flatMap(({ events }) => events)
    .filter(({ type, monitor }) => type === "health/warned" && !known.has(String(monitor)));
  const readings = history.sessions.reduce((sum, { readings }) => sum + readings.length, 0);
  const basis = readings > 0 ? `${readings} readings` : "logged losses only: the run took no readings";
  if (warnings.length + others.length === 0) return [`health  nothing found, in ${basis}`];
  return [
    `health  ${warnings.length + others.length} ${warnings.length + others.length === 1 ? "warning" : "warnings"}, from ${basis}`,
    ...warningLines([...warnings, ...(others as unknown as typeof warnings)], eased).map((line) => `  ${line}`),
  ];
}
