import {
  type AnyPlugin,
  type JsonSchema,
  type Kind,
  kinds,
  optionsSchema,
  type PluginKind,
  pluginKinds,
  propertiesOf,
  type Registry,
} from "../../plugin/mod.ts";
import { sectionOf } from "./config.ts";
import { trainOptions } from "./trainOptions.ts";

/** Key of a config under which editors look for its schema; a run passes over it. */
export const SCHEMA_KEY = "$schema";

/**
 * JSON Schema (draft 2020-12) of a config with these plugins: every section, every plugin by name, every option with its sentence,
 * range and default. `$defs` has the options of each plugin as `kind/name`.
 */
export function configSchema(registry: Registry): JsonSchema {
  const sections = pluginKinds.map((kind) => [sectionOf(kind), sectionSchema(kind, registry.list(kind))]);
  const needed = pluginKinds.filter((kind) => (kinds[kind] as Kind).needed).map(sectionOf);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "A run of onestep",
    type: "object",
    properties: {
      [SCHEMA_KEY]: { type: "string", description: "this schema, for editors" },
      ...Object.fromEntries(sections),
      train: { description: "numbers of a run that belong to no plugin", ...optionsSchema(trainOptions) },
      plugins: {
        description: "installed packages whose plugins the command line takes in",
        type: "array",
        items: { type: "string" },
      },
      start: {
        description: "files of weights to start from, by role",
        type: "object",
        additionalProperties: { type: ["string", "null"] },
      },
    },
    required: needed,
    additionalProperties: false,
    $defs: Object.fromEntries(registry.list().map((plugin) => [keyOf(plugin), pluginSchema(plugin)])),
  };
}

const keyOf = ({ definition: { kind, name } }: AnyPlugin): string => `${kind}/${name}`;
/** As a pointer writes it: ~1 is a slash. */
const refTo = (plugin: AnyPlugin): JsonSchema => ({ $ref: `#/$defs/${keyOf(plugin).replace("/", "~1")}` });

/** The plugin's options beside its name; of one that is found by its key the name may be left out. */
function pluginSchema({ definition: { name, about, options } }: AnyPlugin): JsonSchema {
  return {
    description: about,
    type: "object",
    properties: { use: { description: about, const: name }, ...propertiesOf(options) },
    additionalProperties: false,
  };
}

const named = (plugin: AnyPlugin): JsonSchema => ({ ...refTo(plugin), type: "object", required: ["use"] });

function sectionSchema(kind: PluginKind, plugins: readonly AnyPlugin[]): JsonSchema {
  const { by, needed = false, about: description } = kinds[kind] as Kind;
  const any = plugins.map(named);
  const off = { const: false };
  if (!by) return { description, anyOf: needed ? any : [...any, off] };
  const others = { anyOf: [...any, off] };
  if (by === "role") return { description, type: "object", additionalProperties: others };
  const own = plugins.map((plugin) => {
    const { name, about } = plugin.definition;
    return [name, { description: about, anyOf: [refTo(plugin), ...any, off] }];
  });
  return { description, type: "object", properties: Object.fromEntries(own), additionalProperties: others };
}
