import { catalogue, OnestepError } from "../../core/errors.ts";

/** Exit status of a run that Ctrl-C stopped, by the convention 128 + signal number. */
export const INTERRUPTED = 130;

/** 2 for what is wrong with the command line, options or plugins, 1 for all else. */
export function exitStatus(error: unknown): number {
  if (!(error instanceof OnestepError)) return 1;
  const { kind } = catalogue[error.code];
  return kind === "option" || kind === "missing-plugin" || error.code === "E_USAGE" ? 2 : 1;
}

/** A fault as two lines, what is wrong and the way out; a bug of ours with its stack. */
export function errorText(error: unknown): string {
  if (error instanceof OnestepError) return `error ${error.code}: ${error.message}\nfix: ${error.fix}`;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: ${text}\nfix: this is a fault of onestep or of a plugin; please report it with the lines above`;
}
