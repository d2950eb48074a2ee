import type { Resolver } from "../../di/resolver.ts";
import { failure, suggestion } from "../../errors.ts";
import { AVERAGES, type Average } from "../../interfaces/average.ts";
import { LOSSES, type Loss } from "../../interfaces/loss.ts";
import type { ConfiguredPlugin, PluginKind, Registry } from "../../plugin/mod.ts";
import { readStartFiles, type StartFiles } from "../files/startWeights.ts";
import type { TrainSettings } from "../update/trainer.ts";
import { type RunSettings, readTrainOptions } from "./trainOptions.ts";

export type { RunSettings } from "./trainOptions.ts";

/** A plugin by name, with its options beside it: `{ use: "mlp", width: 128 }`. */
export type Use = { readonly use: string } & Readonly<Record<string, unknown>>;

/** Everything that defines a run, as a config file holds it. */
export interface RunConfig {
  readonly dataset: Use;
  readonly network: Use;
  /** Noise levels of a model of timesteps; EDM's without one. */
  readonly process?: Use;
  readonly teacher: Use;
  readonly generator?: Use;
  readonly critic?: Use;
  /** How the teacher is sampled. */
  readonly sampler: Use;
  /** By name; the name is the plugin's unless `use` says otherwise. `false` leaves one out. */
  readonly losses: Readonly<Record<string, Options | false>>;
  /** By role. */
  readonly optimizers: Readonly<Record<string, Options>>;
  /**
   * By role, as `generator`, and others of that role by role and label, as `generator/slow`; `false` leaves one out. Samples
   * are drawn with the one that has no label; weights of the others are written beside it.
   */
  readonly averages?: Readonly<Record<string, Options | false>>;
  /** What moves weights of losses while the run goes on; they look every `train.diagnoseEvery` steps. */
  readonly balancers?: Readonly<Record<string, Options | false>>;
  readonly metrics?: Readonly<Record<string, Options | false>>;
  /** Watchers of a user's own; those of the command line are not listed here. */
  readonly observers?: Readonly<Record<string, Options | false>>;
  readonly train?: Options;
  /** Weights to start from: a teacher that has some is not trained unless `train.teacher.steps` says so. */
  readonly start?: StartFiles;
}
type Options = Readonly<Record<string, unknown>>;

/** A config checked against the registry: every plugin configured, every default filled in. */
export interface ResolvedConfig {
  /** In order of installation. */
  readonly plugins: readonly ConfiguredPlugin[];
  readonly settings: TrainSettings & RunSettings;
  /** Complete: stored in the run's folder, and enough to repeat it. */
  readonly config: RunConfig;
}

/** Sections with one plugin each, in order of installation. */
const single = [
  "dataset",
  "network",
  "process",
  "teacher",
  "generator",
  "critic",
  "sampler",
] as const;
/** Those of them that a run can do without. */
const optionalSections: readonly string[] = ["process", "generator", "critic"];
/** Sections with several: section name and kind. */
const several: readonly (readonly [keyof RunConfig, PluginKind])[] = [
  ["losses", "loss"],
  ["optimizers", "optimizer"],
  ["averages", "average"],
  ["balancers", "balancer"],
  ["metrics", "metric"],
  ["observers", "observer"],
];
const sections = [...single, ...several.map(([section]) => section), "train", "start"];

/**
 * Checks a config: sections, plugin names, options.
 * @throws OptionError or MissingPluginError that says what was meant.
 */
export function resolveConfig(config: RunConfig, registry: Registry): ResolvedConfig {
  for (const section of Object.keys(config))
    if (!sections.includes(section))
      throw failure(
        "E_UNKNOWN_OPTION",
        `Cannot read the config: "${section}" is not one of ${sections.join(", ")}${suggestion(section, sections)}`,
      );
  const plugins: ConfiguredPlugin[] = [];
  const complete: Record<string, unknown> = {};
  for (const section of single) {
    const given = config[section];
    if (!given && optionalSections.includes(section)) continue;
    const { use, ...options } = optionsAt(given, section);
    const plugin = registry.get(section, nameAt(use, section)).configure(options);
    plugins.push(plugin);
    complete[section] = { use: plugin.name, ...plugin.options };
  }
  for (const [section, kind] of several) {
    const entries: [string, unknown][] = [];
    for (const [key, given] of Object.entries(optionsAt(config[section] ?? {}, section))) {
      if (given === false) continue;
      const { use, ...options } = optionsAt(given, `${section}.${key}`);
      const byRole = section === "optimizers" || section === "averages";
      const [role, label] = byRole ? roleAndLabel(section, key) : [key];
      const name = byRole
        ? nameAt(use, `${section}.${key}`)
        : nameAt(use ?? key, `${section}.${key}`);
      const plugin = registry.get(kind, name).configure(byRole ? { ...options, role } : options);
      plugins.push(
        kind === "loss" ? renamed(plugin, key) : label ? labelled(plugin, label) : plugin,
      );
      const { role: _, ...rest } = plugin.options;
      entries.push([key, { use: plugin.name, ...(byRole ? rest : plugin.options) }]);
    }
    complete[section] = Object.fromEntries(entries);
  }
  const start = readStartFiles(optionsAt(config.start ?? {}, "start"));
  const given = optionsAt(config.train ?? {}, "train");
  const untaught = {
    ...given,
    teacher: { steps: 0, ...optionsAt(given.teacher ?? {}, "train.teacher") },
  };
  const settings = readTrainOptions(start.teacher === undefined ? given : untaught);
  complete.train = settings;
  if (Object.keys(start).length > 0) complete.start = start;
  return { plugins, settings, config: complete as unknown as RunConfig };
}

/** A loss under the name it has in the config, so that one plugin can serve twice. */
function renamed(plugin: ConfiguredPlugin, name: string): ConfiguredPlugin {
  if (name === plugin.name) return plugin;
  const create = (container: Resolver): Loss => {
    const loss = plugin.definition.create(plugin.options, container) as Loss;
    const { role, weight, own } = loss;
    return {
      name,
      role,
      weight,
      own,
      load: loss.load?.bind(loss),
      checkTeacher: loss.checkTeacher?.bind(loss),
      compute: (context) => loss.compute(context),
    };
  };
  return { ...plugin, install: (container) => void container.provide(LOSSES, create, name) };
}

/** `generator`, or `generator/slow` for one more average of it; a label becomes part of a file name. */
function roleAndLabel(section: string, key: string): [role: string, label?: string] {
  const at = key.indexOf("/");
  if (at < 0) return [key];
  const label = key.slice(at + 1);
  if (section !== "averages" || !/^[\w-]+$/.test(label))
    throw failure(
      "E_CONFIG",
      `Cannot read the config: ${section} has "${key}", expected ${section === "averages" ? "a role, or role/label with a label of letters, digits, _ and -" : "a role"}`,
    );
  return [key.slice(0, at), label];
}

/** An average beside the one that is served. */
function labelled(plugin: ConfiguredPlugin, label: string): ConfiguredPlugin {
  const create = (container: Resolver): Average => ({
    ...(plugin.definition.create(plugin.options, container) as Average),
    label,
  });
  const install: ConfiguredPlugin["install"] = (container) =>
    void container.provide(AVERAGES, create, `${plugin.name} ${label}`);
  return { ...plugin, install };
}

function optionsAt(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw failure(
      "E_CONFIG",
      `Cannot read the config: ${place} is ${JSON.stringify(value) ?? "missing"}, expected an object of options`,
    );
  return value as Record<string, unknown>;
}

function nameAt(use: unknown, place: string): string {
  if (typeof use !== "string")
    throw failure(
      "E_CONFIG",
      `Cannot read the config: ${place}.use is ${JSON.stringify(use) ?? "missing"}, expected a plugin's name`,
    );
  return use;
}

/**
 * `over` laid on `base`: objects merge, everything else replaces; another `use` starts from its own defaults.
 * @throws OptionError for a key that would be a prototype.
 */
export function mergeConfig<T>(base: T, over: unknown): T {
  if (!isObject(base) || !isObject(over)) return (over === undefined ? base : over) as T;
  if ("use" in over && "use" in base && over.use !== base.use) return over as T;
  const merged: Record<string, unknown> = { ...base };
  if (Object.hasOwn(over, "__proto__"))
    throw failure("E_UNKNOWN_OPTION", 'Cannot read the config: "__proto__" is not an option');
  for (const [key, value] of Object.entries(over))
    merged[key] = mergeConfig(Object.hasOwn(base, key) ? base[key] : undefined, value);
  return merged as T;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * A `--set path=text` as an overlay for `mergeConfig`. Text that reads as JSON is that value, anything else is a string.
 * @throws OptionError when there is no `=`.
 */
export function settingOverlay(setting: string): Record<string, unknown> {
  const at = setting.indexOf("=");
  if (at <= 0)
    throw failure(
      "E_OPTION",
      `Cannot read --set ${setting}: expected path=value, such as train.steps=500`,
    );
  const value = readValue(setting.slice(at + 1));
  return setting
    .slice(0, at)
    .split(".")
    .reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as Record<string, unknown>;
}

function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "off" ? false : text;
  }
}
