import { catalogue, failure, OnestepError } from "../../core/errors.ts";
import { asStarted } from "./asStarted.ts";
import type { Given } from "./command.ts";
import { type PluginPlace, pluginPlace } from "./pluginTrace.ts";
import { withSameFlags } from "./sameFlags.ts";

/** Exit status of a run that Ctrl-C stopped, by the convention 128 + signal number. */
export const INTERRUPTED = 130;

/** 2 for what is wrong with the command line, options or plugins, 1 for all else. */
export function exitStatus(error: unknown): number {
  const known = catalogued(error, pluginPlace(error));
  if (!known) return 1;
  const { kind } = catalogue[known.code];
  return kind === "option" || kind === "missing-plugin" || known.code === "E_USAGE" ? 2 : 1;
}

/** The flag of every command with which errors tell all they know. */
export const VERBOSE = "--verbose";

/** A message that leaves out the rest of a list, which its cause has whole. */
const CUT = /… \(\d+ more\)/;

/**
 * A fault as two lines, what is wrong and the way out. Between them stands, where a plugin file of the user's took part, the
 * place in it; a bug of ours comes with its stack.
 * @param verbose whether a list that the message cuts is printed whole
 * @param given of the command that has failed, where it was understood: commands in the text are told the same
 */
export function errorText(error: unknown, verbose = false, given?: Given): string {
  const place = pluginPlace(error);
  const known = catalogued(error, place);
  const lines = known ? [`error ${known.code}: ${known.message}`] : [`error: ${stackOf(error)}`];
  if (place) lines.push(`  at ${place.text}`, ...place.frame);
  // A plugin that comes with onestep has thrown.
  const ours = known === undefined || (known.code === "E_PLUGIN" && known.cause !== undefined && !place);
  if (known && ours) lines.push(stackOf(known.cause));
  const whole = known && CUT.test(known.message) && known.cause instanceof Error ? known.cause.message : undefined;
  if (verbose && whole !== undefined) lines.push(...whole.split("\n").map((line) => `  ${line}`));
  const more = verbose || whole === undefined ? "" : `; ${VERBOSE} lists all of them`;
  const report = "this is a fault of onestep; please report it with the lines above";
  const fix = ours
    ? report
    : place && known.code === "E_PLUGIN"
      ? "correct the plugin at that place"
      : known.fix + more;
  const text = [...lines, `fix: ${fix}`].join("\n");
  return asStarted(given ? withSameFlags(text, given) : text);
}

/** An error of the catalogue: the one given, or the fault of a plugin of the user's that it comes from. */
function catalogued(error: unknown, place: PluginPlace | undefined): OnestepError | undefined {
  if (error instanceof OnestepError || !place) return error instanceof OnestepError ? error : undefined;
  return failure("E_PLUGIN", `Cannot go on: ${place.plugin ?? "a plugin"} threw ${String(error)}`, { cause: error });
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
