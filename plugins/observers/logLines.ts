/** Reads what `eventLog` has written, in this version or in 0.1.0. */
import type { FileSystem } from "../../core/io/mod.ts";
import { parseJson } from "../../core/json/mod.ts";
import type { LossReading } from "./lossReadings.ts";

/** An event as a line of a log has it. */
export interface LoggedEvent {
  readonly type: string;
  /** Seconds since its run began. */
  readonly at?: number;
  readonly [name: string]: unknown;
}

/** Bytes that are read at a time. */
const PORTION = 2 ** 20;
const NEWLINE = 10;

/** The events of a log in order; `undefined` stands for a line that is none, such as one that a crash cut short. */
export async function* logLines(files: FileSystem, path: string): AsyncGenerator<LoggedEvent | undefined, void> {
  const size = await files.size(path);
  let rest = new Uint8Array(0);
  for (let from = 0; from < size; from += PORTION) {
    const portion = await files.readRange(path, from, Math.min(PORTION, size - from));
    const end = portion.lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield* eventsIn(joined(rest, portion.subarray(0, end)));
    rest = end > 0 ? portion.slice(end) : joined(rest, portion);
  }
  yield* eventsIn(rest);
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function* eventsIn(bytes: Uint8Array): Generator<LoggedEvent | undefined, void> {
  for (const line of new TextDecoder().decode(bytes).split("\n")) if (line.trim() !== "") yield eventOf(line);
}

/** The event of a line; undefined where it is none. */
export function eventOf(line: string): LoggedEvent | undefined {
  try {
    const value = parseJson(line) as LoggedEvent | null;
    return typeof value === "object" && typeof value?.type === "string" ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The losses of an update, if the event is one. Logs of 0.1.0 name the role in the type. */
export function loggedLosses({ type, role: named, stage: within, step, losses }: LoggedEvent): LossReading | undefined {
  const [role, what] = type.split("/");
  if (what !== "updated" || !(Number.isSafeInteger(step) && (step as number) >= 0)) return undefined;
  if (typeof losses !== "object" || losses === null || Array.isArray(losses)) return undefined;
  if ((named !== undefined && typeof named !== "string") || (within !== undefined && typeof within !== "string"))
    return undefined;
  const learner = named ?? role;
  const stage = within ?? (learner === "teacher" ? learner : "distillation");
  // Numbers that JSON does not have are words, or null in logs of 0.1.0.
  const values = Object.entries(losses).map(([name, value]) => [name, value === null ? Number.NaN : Number(value)]);
  return { stage, role: learner, step: step as number, values: Object.fromEntries(values) };
}
