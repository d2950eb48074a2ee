export { callback, checkOptions, type OptionRules, object } from "./checkOptions.ts";
export {
  type AnyPlugin,
  type CompleteDefinition,
  type ConfiguredPlugin,
  definePlugin,
  isPlugin,
  type Need,
  type Plugin,
  type PluginDefinition,
} from "./definePlugin.ts";
export { extractedOptions, extractorNeeded, extractorOf } from "./extracted.ts";
export { type Kind, kinds, type PluginKind, pluginKinds } from "./kinds.ts";
export { lowRank } from "./lowRank.ts";
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
  listOptions,
  mergeConfig,
  type OptionRow,
  parseOptions,
  readSetting,
  type Setting,
  settingOverlay,
} from "./parseOptions.ts";
export { pluginOf, pluginsOf } from "./pluginFile.ts";
export { Registry } from "./registry.ts";
export { optionsSchema, propertiesOf } from "./schema.ts";
export type { GivenOptions, JsonSchema, OptionSpec, OptionSpecs, OptionsOf, Place, Rule } from "./spec.ts";
export { tokenOf, type ValueOf } from "./tokens.ts";
