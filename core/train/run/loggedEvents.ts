import type { FileSystem } from "../../io/files.ts";
import { parseJson } from "../../json/mod.ts";
import { isRecord } from "../../plugin/spec.ts";
import type { Command, RecordedCommand } from "../loop/control.ts";

/** What a run's event log says about a step. */
export interface LoggedEvents {
  /** The device that the run was last started on. */
  readonly device?: string;
  /** Readings of a role's update, the last if it was run more than once; undefined where they were not read. */
  losses(stage: string, role: string, step: number): Readonly<Record<string, number>> | undefined;
  /** Whether the update of a role was left out, as it was not finite. */
  wasLeftOut(stage: string, role: string, step: number): boolean;
  /** Weights that were set after a checkpoint was written. */
  commandsAfter(checkpoint: string): readonly RecordedCommand[];
}

/** Reads an event log; lines that a crash has cut are passed over, and a log that is not there says nothing. */
export async function loggedEvents(files: FileSystem, path: string): Promise<LoggedEvents> {
  const text = (await files.exists(path)) ? new TextDecoder().decode(await files.read(path)) : "";
  const events = text.split("\n").flatMap((line) => parsed(line));
  const last = (type: string, stage: string, role: string, step: number) =>
    events.findLast((each) => each.type === type && each.stage === stage && each.role === role && each.step === step);
  return {
    device: events.findLast(({ type }) => type === "run/start")?.device as string | undefined,
    losses(stage, role, step) {
      const found = last("role/updated", stage, role, step);
      if (!isRecord(found?.losses)) return undefined;
      return Object.fromEntries(Object.entries(found.losses).map(([name, value]) => [name, Number(value)]));
    },
    wasLeftOut: (...update) => last("role/left-out", ...update) !== undefined,
    commandsAfter(checkpoint) {
      const nameOf = (file: unknown) => String(file).split(/[\\/]/).at(-1);
      const saved = events.findLastIndex(
        ({ type, path: file }) => type === "checkpoint/saved" && nameOf(file) === nameOf(checkpoint),
      );
      return events.slice(saved + 1).flatMap(({ type, step, command }) => {
        if (type !== "control/received" || !isRecord(command) || command.type !== "set-weight") return [];
        return [{ step: Number(step), command: command as Command }];
      });
    },
  };
}

function parsed(line: string): Record<string, unknown>[] {
  try {
    const event = parseJson(line);
    return isRecord(event) ? [event] : [];
  } catch {
    return [];
  }
}
