import { failure, suggestion } from "../../core/errors.ts";
import { type AnyPlugin, listOptions, type PluginKind, pluginKinds } from "../../core/plugin/mod.ts";
import { table } from "../../plugins/observers/table.ts";
import type { Given } from "./command.ts";
import { loadRegistry } from "./registry.ts";

export async function run(given: Given): Promise<number> {
  const [kind] = given.positionals;
  if (kind !== undefined && !isKind(kind))
    throw failure(
      "E_USAGE",
      `Cannot list plugins of kind "${kind}": it is not one of ${pluginKinds.join(", ")}${suggestion(kind, pluginKinds)}`,
      { fix: "choose one of the kinds, or none for all" },
    );
  const registry = await loadRegistry(given.all("plugin"));
  if (given.on("json")) {
    if (kind !== undefined)
      throw failure("E_USAGE", `Cannot print a schema of kind "${kind}" alone: a config has plugins of all kinds`, {
        fix: "leave the kind or --json out",
      });
    // All of training need not be loaded to list plugins.
    const { configSchema } = await import("../../core/train/config/schema.ts");
    process.stdout.write(`${JSON.stringify(configSchema(registry), null, 2)}\n`);
    return 0;
  }
  const entries = registry.list(kind as PluginKind | undefined).map(entry);
  const none = `there are no plugins of kind ${kind}`;
  process.stdout.write(`${entries.join("\n\n") || none}\n`);
  return 0;
}

const isKind = (kind: string): kind is PluginKind => (pluginKinds as readonly string[]).includes(kind);

function entry({ definition: { kind, name, about, options } }: AnyPlugin): string {
  const rows = listOptions(options).map((row) => [row.name, row.default, row.expected, row.about]);
  const head = `${kind} ${name}: ${about}`;
  if (rows.length === 0) return `${head}\n  no options`;
  const text = table([["option", "default", "must be", ""], ...rows]);
  return [head, ...text.split("\n").map((line) => `  ${line}`)].join("\n");
}
