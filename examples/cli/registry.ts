import { Registry } from "../../core/plugin/registry.ts";
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
