/** The entry `onestep/plugins`: every plugin by name, and all of them for a registry. */
import { type AnyPlugin, isPlugin } from "../core/plugin/mod.ts";
import * as plugins from "./mod.ts";

export * from "./mod.ts";
/** Every plugin that comes with onestep. */
export const allPlugins: readonly AnyPlugin[] = Object.values<unknown>(plugins).filter(isPlugin);
