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

function describe(exported: unknown): string {
  if (exported === undefined) return "it has no default export";
  // The likeliest slip: exporting the configured plugin instead of the plugin.
  if (isRecord(exported) && typeof exported.install === "function") return "its default export is already configured";
  return `its default export is of type ${Array.isArray(exported) ? "array" : typeof exported}`;
}
