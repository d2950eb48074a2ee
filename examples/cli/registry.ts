import { failure, OnestepError } from "../../core/errors.ts";
import { type Kind, kinds } from "../../core/plugin/kinds.ts";
import { Registry } from "../../core/plugin/registry.ts";
import type { ResolvedConfig } from "../../core/train/mod.ts";
import { allPlugins } from "../../plugins/all.ts";

/** All plugins that come with onestep, and those of the user's files. */
export async function loadRegistry(files: readonly string[] = []): Promise<Registry> {
  const registry = new Registry().register(allPlugins);
  if (files.length > 0) {
    const { loadPluginFile } = await import("./pluginFile.ts");
    for (const file of files) registry.register([await loadPluginFile(file)], file);
  }
  return registry;
}

/** A line for each plugin of the user's files that a config leaves out, with what would take it in. */
export function unusedLines(registry: Registry, { plugins }: ResolvedConfig): string[] {
  const known = new Set([...allPlugins, ...plugins].map(({ definition }) => definition));
  return registry.list().flatMap(({ definition }) => {
    if (known.has(definition)) return [];
    const { kind, name } = definition;
    const { section = kind, by } = kinds[kind] as Kind;
    const place = by === undefined ? section : `${section}.${by === "role" ? "ROLE" : name}`;
    return [`warning: the ${kind} "${name}" is not used by this run; use it with --set ${place}.use=${name}`];
  });
}

/**
 * What is made of a config that a run has stored: every plugin in it was there once.
 * @throws E_MISSING_PLUGIN that says how to give it again
 */
export function ofStored<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof OnestepError) || error.code !== "E_MISSING_PLUGIN") throw error;
    throw failure(error.code, error.message, { cause: error, fix: GIVE_AGAIN });
  }
}

/** What helps where a run had a plugin that is not here. */
export const GIVE_AGAIN = "if it is a plugin of your own, give its file again with --plugin FILE";
