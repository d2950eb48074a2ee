export {
  type AnyPlugin,
  type ConfiguredPlugin,
  definePlugin,
  isPlugin,
  type Plugin,
  type PluginDefinition,
  type PluginKind,
  pluginKinds,
} from "./definePlugin.ts";
export {
  boolean,
  choice,
  type Described,
  group,
  list,
  type NumberRange,
  number,
  optional,
  record,
  text,
} from "./options.ts";
export {
  applySettings,
  listOptions,
  type OptionRow,
  parseOptions,
  type Setting,
} from "./parseOptions.ts";
export { pluginOf } from "./pluginFile.ts";
export { Registry } from "./registry.ts";
export type { GivenOptions, OptionSpec, OptionSpecs, OptionsOf, Place, Rule } from "./spec.ts";
export { checkPlugin } from "./testkit.ts";
