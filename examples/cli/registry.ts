import { Registry } from "../../core/plugin/mod.ts";
import { allPlugins } from "../../plugins/mod.ts";
import { loadPluginFile } from "./pluginFile.ts";

/** All plugins that come with onestep, and those of the user's files. */
export async function loadRegistry(files: readonly string[] = []): Promise<Registry> {
  const registry = new Registry().register(allPlugins);
  for (const file of files) registry.register([await loadPluginFile(file)], file);
  return registry;
}
