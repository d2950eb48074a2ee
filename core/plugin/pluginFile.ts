import { failure } from "../errors.ts";
import { type AnyPlugin, isPlugin } from "./definePlugin.ts";
import { isRecord } from "./spec.ts";

/** The plugin in an imported module (`--plugin ./x.ts`). Throws E_PLUGIN_FILE when its default export is none. */
export function pluginOf(module: unknown, file: string): AnyPlugin {
  const exported = isRecord(module) ? module.default : undefined;
  if (isPlugin(exported)) return exported;
  throw failure(
    "E_PLUGIN_FILE",
    `Cannot use ${file}: ${describe(exported)}, it should be a plugin made with definePlugin`,
  );
}

/**
 * The plugins in an imported module: its default export, one or a list of several, such as that of a package. Throws E_PLUGIN_FILE
 * when it is neither.
 */
export function pluginsOf(module: unknown, file: string): readonly AnyPlugin[] {
  const exported = isRecord(module) ? module.default : undefined;
  if (!Array.isArray(exported) || exported.length === 0) return [pluginOf(module, file)];
  const odd = exported.findIndex((each) => !isPlugin(each));
  if (odd < 0) return exported;
  throw failure(
    "E_PLUGIN_FILE",
    `Cannot use ${file}: number ${odd + 1} in its default export is no plugin, it should be one made with definePlugin`,
  );
}

function describe(exported: unknown): string {
  if (exported === undefined) return "it has no default export";
  // The likeliest slip: exporting the configured plugin instead of the plugin.
  if (isRecord(exported) && typeof exported.install === "function") return "its default export is already configured";
  return `its default export is of type ${Array.isArray(exported) ? "array" : typeof exported}`;
}
