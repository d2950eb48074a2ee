import { type EngineOptions, engineOver } from "./createBareEngine.ts";
import { type Engine, forPrograms } from "./engine.ts";

/**
 * Makes an engine: a device and plugins, with which runs are trained, weights loaded, samples drawn and judged. The same code runs in Node,
 * Deno, browsers and workers. Several engines in a process know nothing of each other.
 *
 * ```ts
 * const engine = await createEngine({ device: "wasm" });
 * const model = await engine.load(bytes);
 * const { pictures } = await model.sample({ count: 4, seed: 7, label: "3" });
 * await engine.dispose();
 * ```
 * @throws E_UNKNOWN_OPTION or E_OPTION; E_NO_ADAPTER for a device that is not there; E_PLUGIN_FILE or E_DUPLICATE_PLUGIN for plugins that are
 * none or share a name
 */
export const createEngine = (options: EngineOptions = {}): Promise<Engine> =>
  forPrograms(async () => {
    const plugins = options?.plugins ?? (await import("../../plugins/all.ts")).allPlugins;
    return engineOver({ ...options, plugins }, { models: () => import("./modelsOfOthers.ts") });
  });
