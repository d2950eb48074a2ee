import type { Resolver } from "../../di/resolver.ts";
import { failure, suggestion } from "../../errors.ts";
import { AVERAGES, type Average } from "../../interfaces/average.ts";
import { made } from "../../plugin/made.ts";
import {
  type ConfiguredPlugin,
  type Kind,
  kinds,
  type PluginKind,
  parseOptions,
  pluginKinds,
  type Registry,
} from "../../plugin/mod.ts";
import { overlaid } from "../../plugin/overlaid.ts";
import { fromJson, isRecord, SettingText, saysNothing, show } from "../../plugin/spec.ts";
import { readStartFiles, type StartFiles } from "../files/startWeights.ts";
import { withNeeded } from "./needs.ts";
import { pluginPackages } from "./pluginPackages.ts";
import { type RunSettings, trainOptions } from "./trainOptions.ts";
import { modernised } from "./version1.ts";

/** A plugin by name, with its options beside it: `{ use: "mlp", width: 128 }`. */
export type Use = { readonly use: string } & Readonly<Record<string, unknown>>;

type Options = Readonly<Record<string, unknown>>;
/** Several plugins; `false` leaves one out. */
type Several = Readonly<Record<string, Options | false>>;

/** Everything that defines a run, as a config file holds it. */
export interface RunConfig {
  readonly dataset: Use;
  readonly network: Use;
  /** Noise process of the model; EDM's without one. */
  readonly process?: Use;
  readonly teacher?: Use;
  readonly generator?: Use;
  readonly critic?: Use;
  /** How the teacher is sampled. */
  readonly sampler?: Use;
  /** Roles, stages and the cycle of turns. */
  readonly method: Use;
  /** By name; the name is the plugin's unless `use` says otherwise. */
  readonly losses: Several;
  /** By role. */
  readonly optimizers: Several;
  /**
   * By role, as `generator`, and others of that role by role and label, as `generator/slow`. Samples are drawn with the one
   * that has no label; weights of the others are written beside it.
   */
  readonly averages?: Several;
  /** Feature networks by name, where metrics and losses are to use other options than those they ask for. */
  readonly extractors?: Several;
  /** Networks that read texts, by name, where metrics are to use other options than those they ask for. */
  readonly encoders?: Several;
  /** What makes pictures of latents, where something of the run looks at pictures. */
  readonly autoencoder?: Use;
  /** What knows the kind of model that the run starts from. */
  readonly pipeline?: Use;
  /** Plugins that move the weights of losses while the run goes on; they look every `train.diagnoseEvery` steps. */
  readonly balancers?: Several;
  readonly metrics?: Several;
  /** Monitors of a run's health with other options than their defaults; `false` leaves one out. */
  readonly monitors?: Several;
  /** Watchers of a user's own; those of the command line are not listed here. */
  readonly observers?: Several;
  readonly train?: Options;
  /** Weights to start from, by role. */
  readonly start?: StartFiles;
  /** Packages of plugins that a program which reads configs loads before; their plugins must be registered. */
  readonly plugins?: readonly string[];
}

/** The config of a method; a data set and a network make it that of a run. */
export type Recipe = Omit<RunConfig, "dataset" | "network">;

/** A config checked against the registry: every plugin configured, every default filled in. */
export interface ResolvedConfig {
  /** In order of installation. */
  readonly plugins: readonly ConfiguredPlugin[];
  readonly settings: RunSettings;
  /** Complete: stored in the run's folder, and enough to repeat it. */
  readonly config: RunConfig;
}

/** The section of a config that plugins of a kind stand in. */
export const sectionOf = (kind: PluginKind): string => (kinds[kind] as Kind).section ?? kind;
const sections = [...pluginKinds.map(sectionOf), "train", "start"];

/**
 * Checks a config: sections, plugin names, options. Configs of 0.1.0 are read too.
 * @throws OptionError or MissingPluginError that says what was meant.
 */
export function resolveConfig(given: RunConfig, registry: Registry): ResolvedConfig {
  const { $schema: _, plugins: named, ...config } = modernised(given) as Readonly<Record<string, unknown>>;
  checkSections(config, sections, registry);
  const packages = pluginPackages(named);
  const { plugins, complete } = readSections(config, registry, pluginKinds);
  if (isOff(config.train)) throw cannotSwitchOff("train", config.train);
  const start = readStartFiles(optionsAt(config.start ?? {}, "start"));
  const settings = parseOptions("train", trainOptions, optionsAt(config.train ?? {}, "train"));
  complete.train = settings;
  if (Object.keys(start).length > 0) complete.start = start;
  if (packages.length > 0) complete.plugins = packages;
  const installed = withNeeded(plugins, registry);
  return { plugins: installed, settings, config: complete as unknown as RunConfig };
}

/** Data to compare with, and who compares: the part of a config that judging samples needs. */
export type JudgeConfig = Pick<RunConfig, "dataset" | "extractors" | "encoders" | "metrics">;

/** Checks a config for judging samples, as `resolveConfig` does; what metrics need is among the plugins. */
export function resolveJudges(
  given: JudgeConfig,
  registry: Registry,
): Pick<ResolvedConfig, "plugins"> & { readonly config: JudgeConfig } {
  const judging: readonly PluginKind[] = ["dataset", "extractor", "encoder", "metric"];
  const config = given as Readonly<Record<string, unknown>>;
  checkSections(config, judging.map(sectionOf), registry);
  const { plugins, complete } = readSections(config, registry, judging);
  return { plugins: withNeeded(plugins, registry), config: complete as unknown as JudgeConfig };
}

function checkSections(config: Readonly<Record<string, unknown>>, known: readonly string[], registry: Registry): void {
  for (const section of Object.keys(config))
    if (!known.includes(section))
      throw failure(
        "E_UNKNOWN_OPTION",
        `Cannot read the config: "${section}" is not one of ${known.join(", ")}${meant(section, config, registry)}`,
      );
}

/** The plugins of some kinds, configured, and their sections with every default filled in. */
function readSections(config: Readonly<Record<string, unknown>>, registry: Registry, wanted: readonly PluginKind[]) {
  const plugins: ConfiguredPlugin[] = [];
  const complete: Record<string, unknown> = {};
  for (const kind of wanted) {
    const { by, needed = false, always = false }: Kind = kinds[kind];
    const section = sectionOf(kind);
    const off = isOff(config[section] ?? (by ? undefined : false));
    if (!by && !needed && off) continue;
    if (off && config[section] !== undefined) throw cannotSwitchOff(section, config[section]);
    if (!by) {
      const plugin = configured(registry, kind, optionsAt(config[section], section), section);
      plugins.push(plugin);
      complete[section] = { use: plugin.name, ...plugin.options };
      continue;
    }
    const entries: [string, unknown][] = [];
    const listed = Object.entries(optionsAt(config[section] ?? {}, section));
    for (const [key, value] of listed) {
      const place = `${section}.${key}`;
      if (isOff(value)) {
        if (value instanceof SettingText && !value.replaces && !(by === "name" && registry.has(kind, key)))
          throw failure("E_OPTION", `Cannot switch off ${place}: ${offered(section, key, listed)}`);
        if (always) entries.push([key, false]);
        continue;
      }
      if (key in Object.prototype)
        throw failure("E_CONFIG", `Cannot read the config: "${place}" is no name, choose another`);
      const options = optionsAt(value, place);
      const [role, label] = by === "role" ? roleAndLabel(section, key) : [];
      const own = role === undefined ? { use: key, ...options } : { ...options, role };
      const plugin = configured(registry, kind, own, place);
      plugins.push(by === "name" ? renamed(plugin, key) : labelled(plugin, label));
      const { role: _, ...rest } = plugin.options;
      entries.push([key, { use: plugin.name, ...(role === undefined ? plugin.options : rest) }]);
    }
    if (always) plugins.push(...unnamed(registry, kind, listed));
    complete[section] = Object.fromEntries(entries);
  }
  return { plugins, complete };
}

/** The sections in whose options a name is, such as `network.attention` for `attention`; else the section of nearly that name. */
function meant(name: string, config: Readonly<Record<string, unknown>>, registry: Registry): string {
  const places: string[] = Object.hasOwn(trainOptions, name) ? [`train.${name}`] : [];
  const look = (kind: PluginKind, place: string, options: unknown, key?: string) => {
    const use = isRecord(options) && options.use !== undefined ? options.use : key;
    const plugin = use instanceof SettingText ? use.text : use;
    if (typeof plugin !== "string" || !registry.has(kind, plugin)) return;
    if (Object.hasOwn(registry.get(kind, plugin).definition.options, name)) places.push(`${place}.${name}`);
  };
  for (const kind of pluginKinds) {
    const section = sectionOf(kind);
    const given = config[section];
    if (!(kinds[kind] as Kind).by) look(kind, section, given);
    else if (isRecord(given))
      for (const [key, each] of Object.entries(given)) look(kind, `${section}.${key}`, each, key);
  }
  if (places.length === 0) return suggestion(name, sections);
  return `, did you mean ${places.slice(0, 3).join(" or ")}?`;
}

/** Sections that every run has, and those of several plugins, stay. */
function cannotSwitchOff(section: string, value: unknown) {
  const kind = pluginKinds.find((each) => sectionOf(each) === section);
  const why =
    kind && (kinds[kind] as Kind).by
      ? `it is not one plugin but all of them, such as ${section}.NAME=off`
      : `every run has ${section === "train" ? "these options" : "one"}, ${section}.NAME=VALUE sets an option of it`;
  return failure("E_CONFIG", `Cannot switch off ${section}: ${why}`, {
    fix: `give ${section} options instead of ${value instanceof SettingText ? value.text : show(value)}`,
  });
}

/** Plugins of a kind that a section does not mention. */
function unnamed(registry: Registry, kind: PluginKind, listed: readonly (readonly [string, unknown])[]) {
  const named = new Set(listed.map(([name]) => name));
  return registry.list(kind).flatMap((plugin) => (named.has(plugin.definition.name) ? [] : [plugin.configure({})]));
}

/** What a section has, where a setting names something else. */
function offered(section: string, key: string, listed: readonly (readonly [string, unknown])[]): string {
  const others = listed.map(([name]) => name).filter((name) => name !== key);
  return `${section} has ${others.join(", ") || "none"}${suggestion(key, others)}`;
}

function configured(
  registry: Registry,
  kind: PluginKind,
  { use, ...options }: Record<string, unknown>,
  place: string,
): ConfiguredPlugin {
  const name = use instanceof SettingText ? use.text : use;
  if (typeof name !== "string")
    throw failure(
      "E_CONFIG",
      `Cannot read the config: ${place}.use is ${name === undefined ? "missing" : show(name)}, expected a plugin's name`,
    );
  return registry.get(kind, name).configure(options, [], place.split("."));
}

/** What the plugin makes, under the name it has in the config, so that one plugin can serve twice. */
function renamed(plugin: ConfiguredPlugin, name: string): ConfiguredPlugin {
  if (name === plugin.name) return plugin;
  const { definition, options } = plugin;
  const make = (container: Resolver) =>
    overlaid(made(definition, options, container) as { readonly name: string }, { name });
  return { ...plugin, install: (container) => void container.provide(definition.token, make, name) };
}

/** `generator`, or `generator/slow` for one more average of it; a label becomes part of a file name. */
function roleAndLabel(section: string, key: string): [role: string, label?: string] {
  const at = key.indexOf("/");
  if (at < 0) return [key];
  const label = key.slice(at + 1);
  const mayLabel = section === sectionOf("average");
  if (!mayLabel || !/^[\w-]+$/.test(label))
    throw failure(
      "E_CONFIG",
      `Cannot read the config: ${section} has "${key}", expected ${mayLabel ? "a role, or role/label with a label of letters, digits, _ and -" : "a role"}`,
    );
  return [key.slice(0, at), label];
}

/** An average beside the one that is served. */
function labelled(plugin: ConfiguredPlugin, label: string | undefined): ConfiguredPlugin {
  if (label === undefined) return plugin;
  const create = (container: Resolver): Average =>
    overlaid(made(plugin.definition, plugin.options, container) as Average, { label });
  const install: ConfiguredPlugin["install"] = (container) =>
    void container.provide(AVERAGES, create, `${plugin.name} ${label}`);
  return { ...plugin, install };
}

/** Whether a section or a part of one is switched off: `false`, or as a setting and in YAML, where it is a text, `off`. */
const isOff = (value: unknown): boolean =>
  value === false || saysNothing(value instanceof SettingText ? value.text : (value as string));

/** An object of options; as a setting it is JSON. */
function optionsAt(value: unknown, place: string): Record<string, unknown> {
  const given = value instanceof SettingText ? fromJson(value.text) : value;
  if (!isRecord(given)) {
    const what = `${place} is ${given === undefined ? "missing" : show(given)}, expected an object of options`;
    const named = value instanceof SettingText && place.includes(".");
    const fix = `--set ${place}={} takes its defaults, --set ${place}.NAME=VALUE sets an option of it`;
    throw failure("E_CONFIG", `Cannot read the config: ${what}`, named ? { fix } : {});
  }
  return given;
}
