import { failure, suggestion } from "../errors.ts";
import { type AnyPlugin, isPlugin } from "./definePlugin.ts";
import { type PluginKind, pluginKinds } from "./kinds.ts";

interface Entry {
  readonly plugin: AnyPlugin;
  readonly from: string;
}

/** Plugins by kind and name: what config files and `--plugin` refer to. */
export class Registry {
  readonly #entries = new Map<string, Entry>();

  /**
   * Adds plugins; `from` is where they come from, in messages. The same plugin twice is no fault. Throws
   * E_DUPLICATE_PLUGIN for another of the same kind and name, E_PLUGIN_FILE for a value that is no plugin.
   */
  register(plugins: Iterable<AnyPlugin>, from = "onestep"): this {
    for (const plugin of plugins) {
      if (!isPlugin(plugin)) throw failure("E_PLUGIN_FILE", `Cannot register a plugin from ${from}: it is no plugin`);
      const { kind, name } = plugin.definition;
      const present = this.#entries.get(`${kind}/${name}`);
      if (present && present.plugin !== plugin) {
        throw failure(
          "E_DUPLICATE_PLUGIN",
          `Cannot register ${kind} "${name}" from ${from}: ${present.from} has a ${kind} "${name}", names must differ`,
        );
      }
      this.#entries.set(`${kind}/${name}`, { plugin, from });
    }
    return this;
  }

  /** The plugin of a kind and name. Throws E_MISSING_PLUGIN with the nearest name and all there are. */
  get(kind: PluginKind, name: string): AnyPlugin {
    const entry = this.#entries.get(`${kind}/${name}`);
    if (entry) return entry.plugin;
    const names = this.list(kind).map((plugin) => plugin.definition.name);
    const elsewhere = pluginKinds.find((other) => this.#entries.has(`${other}/${name}`));
    const hint = elsewhere ? `, "${name}" is a ${elsewhere}` : suggestion(name, names);
    const known = names.length > 0 ? `should be one of ${names.join(", ")}` : `no ${kind} is`;
    throw failure("E_MISSING_PLUGIN", `Cannot use ${kind} "${name}": it is not registered, ${known}${hint}`);
  }

  /** Whether a plugin of this kind and name is registered. */
  has(kind: PluginKind, name: string): boolean {
    return this.#entries.has(`${kind}/${name}`);
  }

  /** All plugins, or those of one kind, ordered by kind and name. */
  list(kind?: PluginKind): AnyPlugin[] {
    return [...this.#entries.values()]
      .map(({ plugin }) => plugin)
      .filter((plugin) => kind === undefined || plugin.definition.kind === kind)
      .sort((a, b) => order(a).localeCompare(order(b), "en"));
  }
}

/** Sorts by kind in the order of `pluginKinds`, then by name. */
function order({ definition }: AnyPlugin): string {
  const rank = String(pluginKinds.indexOf(definition.kind)).padStart(2, "0");
  return `${rank}/${definition.name}`;
}
