/** What a run that goes on is asked to do otherwise than it began. */
import { failure } from "../../errors.ts";
import { isRecord } from "../../plugin/spec.ts";
import type { RunConfig } from "./config.ts";
import { modernised } from "./version1.ts";

/** Where two configs differ, and how: `train.seed is 9, it began with 0`. */
interface Change {
  readonly path: string;
  readonly text: string;
}

/** What makes a run this run: with another of these, its states would mean something else. */
const SAME = /^(network|process|teacher|generator|critic|method)\b|^train\.seed$/;
/** Lengths of stages, which have a check of their own. */
const LENGTH = /^(train|method\.\w+)\.steps$/;
/** What no update depends on. */
const FREE =
  /^(metrics|monitors|observers|plugins|start)\b|^train\.(logEvery|sampleEvery|drawBatch|checkpointEvery|checkpointMinutes|keep|evaluateCount|evaluateEvery|evaluateEveryCount|keepBest|diagnoseEvery)$/;

/**
 * Compares the config of a checkpoint with the one its run is to go on with; resolves to sentences on what will be otherwise.
 * @throws E_CONFIG when it would be another run
 */
export function checkChanges(began: RunConfig, asked: RunConfig, path: string): string[] {
  const changes = changesBetween(modernised(began), asked).filter((change) => !FREE.test(change.path));
  const refused = changes.filter((change) => SAME.test(change.path) && !LENGTH.test(change.path));
  if (refused.length > 0)
    throw failure("E_CONFIG", `Cannot resume ${path}: ${list(refused)}, should be the same`, {
      fix: `leave ${refused[0].path} as it was, or start another run in a folder of its own`,
    });
  return changes.length > 0 ? [`goes on with other settings: ${list(changes)}`] : [];
}

/** The first few, and how many more. */
const list = (changes: readonly Change[]): string => {
  const shown = changes.slice(0, SHOWN).map(({ text }) => text);
  const more = changes.length - shown.length;
  return shown.join("; ") + (more > 0 ? `; and ${more} more` : "");
};
const SHOWN = 5;

/** The places at which two configs differ, and what each has there, as JSON; undefined where it has nothing. */
export function differences(a: unknown, b: unknown): { path: string; before?: string; after?: string }[] {
  const [before, after] = [a, b].map((config) => new Map(leaves(config, [])));
  const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  return paths.map((path) => ({ path, before: before.get(path), after: after.get(path) }));
}

/** Options and groups of them that only one side has are new in a later version, unless a whole plugin or an entry of a record comes or goes. */
function changesBetween(began: unknown, asked: unknown): Change[] {
  const changes = new Map<string, Change>();
  for (const { path, before: was, after: is } of differences(began, asked)) {
    const note = (at: string, text: string) => changes.set(at, { path: at, text });
    if (was !== undefined && is !== undefined) note(path, `${path} is ${is}, it began with ${was}`);
    else {
      const part = missingPart(path, was === undefined ? began : asked);
      if (isOption(part, began, asked)) continue;
      note(part, was === undefined ? `${part} is there, it began without` : `${part} is absent, it began with it`);
    }
  }
  return [...changes.values()];
}

/** The shortest start of a path that a config does not have. */
function missingPart(path: string, config: unknown): string {
  const names = path.split(".");
  const length = names.findIndex((_, i) => at(config, names.slice(0, i + 1)) === undefined) + 1;
  return names.slice(0, length || names.length).join(".");
}

/** Whether a path leads to an option of a plugin that both sides have, or a group of them, or to one of `train`. */
function isOption(path: string, ...configs: readonly unknown[]): boolean {
  const owner = path.split(".").slice(0, -1);
  return configs.every((config) => {
    const found = at(config, owner);
    return isRecord(found) && (typeof found.use === "string" || owner.join() === "train");
  });
}

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, name) => (isRecord(inner) ? inner[name] : undefined), value);

/** Everything in a config that is no record, as JSON. */
function leaves(value: unknown, path: readonly string[]): [string, string][] {
  if (!isRecord(value)) return [[path.join("."), JSON.stringify(value) ?? "undefined"]];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, [...path, name]));
}
