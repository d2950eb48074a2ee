import { type Kind, kinds } from "../../core/plugin/kinds.ts";
import { Registry } from "../../core/plugin/registry.ts";
import { pluginPackages } from "../../core/train/config/pluginPackages.ts";
import type { ResolvedConfig, RunConfig } from "../../core/train/mod.ts";
import { allPlugins } from "../../plugins/all.ts";

export { GIVE_AGAIN, ofStored } from "../engine/ofStored.ts";

/** All plugins that come with onestep, and those of the user's files and packages. */
export async function loadRegistry(own: readonly string[] = []): Promise<Registry> {
  const registry = new Registry().register(allPlugins);
  if (own.length > 0) {
    const { loadPlugins } = await import("./pluginFile.ts");
    for (const each of new Set(own)) registry.register(await loadPlugins(each), each);
  }
  return registry;
}

/**
 * The same with the packages that a config names under `plugins`: packages alone, since a file beside a config of others is nothing
 * that the user has installed.
 */
export async function registryFor(config: RunConfig, own: readonly string[]): Promise<Registry> {
  const registry = await loadRegistry(own);
  const packages = pluginPackages(config.plugins).filter((name) => !own.includes(name));
  if (packages.length > 0) {
    const { loadPackage } = await import("./pluginFile.ts");
    for (const name of new Set(packages)) registry.register(await loadPackage(name), name);
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
