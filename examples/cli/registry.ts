import { Registry } from "../../core/plugin/mod.ts";
import { allPlugins } from "../../plugins/mod.ts";
import type { Flag } from "./command.ts";
import { loadPluginFile } from "./pluginFile.ts";

/** The flag whose files `loadRegistry` takes. */
export const pluginFlag: Flag = {
  type: "string",
  multiple: true,
  value: "FILE",
  about: "a plugin of your own, .ts or .js",
};

/** All plugins that come with onestep, and those of the user's files. */
export async function loadRegistry(files: readonly string[] = []): Promise<Registry> {
  const registry = new Registry().register(allPlugins);
  for (const file of files) registry.register([await loadPluginFile(file)], file);
  return registry;
}
