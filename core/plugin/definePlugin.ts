import type { Container } from "../di/container.ts";
import type { Resolver } from "../di/resolver.ts";
import type { AnyToken } from "../di/token.ts";
import { failure } from "../errors.ts";
import { BACKEND, DATA_FOLDER, DATA_SHAPE, DATASET, OUTPUT_FOLDER, TRAIN_LENGTH } from "../interfaces/mod.ts";
import { type PluginKind, pluginKinds } from "./kinds.ts";
import { made } from "./made.ts";
import { mergeConfig, parseOptions, type Setting, settingOverlay } from "./parseOptions.ts";
import { type GivenOptions, isRecord, type OptionSpecs, type OptionsOf, show } from "./spec.ts";
import { tokenOf, type ValueOf } from "./tokens.ts";

/** A plugin that another one cannot do without. */
export interface Need {
  readonly kind: PluginKind;
  /** Its name. */
  readonly use: string;
  /** Its options, where the config has none for it. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Everything a plugin is, as its file states it. */
export interface PluginDefinition<S extends OptionSpecs = OptionSpecs, T = unknown, K extends PluginKind = PluginKind> {
  /** Unique in its kind: lower-case words joined by hyphens. */
  readonly name: string;
  readonly kind: K;
  /** What it provides: what plugins of its kind do, where absent, or something of its own that other plugins ask for. */
  readonly token?: AnyToken<T>;
  /** One sentence for `onestep plugins`. */
  readonly about: string;
  readonly options: S;
  /** Plugins that a run with these options gets as well, unless its config names them itself. */
  needs?(options: OptionsOf<S>): readonly Need[];
  /** Makes the value, once per container, when it is first asked for. */
  create(options: OptionsOf<S>, container: Resolver): NoInfer<T>;
}

/** A definition with its token. */
export interface CompleteDefinition<S extends OptionSpecs = OptionSpecs, T = unknown> extends PluginDefinition<S, T> {
  readonly token: AnyToken<T>;
}

/** A plugin with its options, checked; ready to be installed. */
export interface ConfiguredPlugin<T = unknown> {
  readonly name: string;
  readonly kind: PluginKind;
  /** Complete and checked, so that it can be printed and stored. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly definition: CompleteDefinition<OptionSpecs, T>;
  /** Registers with a container. Throws E_DUPLICATE_PLUGIN when another plugin provides the same single value. */
  install(container: Container): void;
}

/** Marks plugins, whichever copy of this module made them. */
export const PLUGIN: unique symbol = Symbol.for("onestep/plugin") as never;

/** A plugin whose options the type checker does not know: one found by name or loaded from a file. */
export interface AnyPlugin {
  readonly [PLUGIN]: true;
  readonly definition: CompleteDefinition;
  /**
   * Checks options from a config file, `settings` laid over them. Throws E_OPTION or E_UNKNOWN_OPTION, which name an option by
   * its `path` in the config.
   */
  configure(given?: unknown, settings?: Iterable<Setting>, path?: readonly string[]): ConfiguredPlugin;
}

/** A plugin: call it with options to configure it. Throws E_OPTION or E_UNKNOWN_OPTION. */
export interface Plugin<S extends OptionSpecs, T> extends AnyPlugin {
  (options?: GivenOptions<S>): ConfiguredPlugin<T>;
}

/** Makes a plugin of its definition. Throws E_PLUGIN_FILE when the name or the kind is not one, or the token is of another kind. */
export function definePlugin<const S extends OptionSpecs, K extends PluginKind, T = ValueOf<K>>(
  given: PluginDefinition<S, T, K>,
): Plugin<S, T> {
  checkDefinition(given);
  const { name, kind, token = tokenOf(kind) as AnyToken<T> } = given;
  const definition: CompleteDefinition<S, T> = Object.freeze({ ...given, token });

  const configure = (options: unknown = {}, settings: Iterable<Setting> = [], path: readonly string[] = []) => {
    const laid = [...settings].map(settingOverlay).reduce<unknown>(mergeConfig, options);
    return configured(definition, parseOptions(name, definition.options, laid, path));
  };
  return Object.assign((options?: GivenOptions<S>) => configure(options), {
    [PLUGIN]: true as const,
    definition,
    configure,
  });
}

function configured<S extends OptionSpecs, T>(
  definition: CompleteDefinition<S, T>,
  options: OptionsOf<S>,
): ConfiguredPlugin<T> {
  const { name, kind, token } = definition;
  return Object.freeze({
    name,
    kind,
    options,
    definition,
    install(container: Container) {
      container.provide(token, (c) => made(definition, options, c), name);
    },
  });
}

/** Plugin files are plain JavaScript too, which no type checker has seen. */
function checkDefinition(definition: unknown): void {
  const { name, kind, token, options, create } = isRecord(definition) ? definition : {};
  const refuse: Refuse = (why, fix) => {
    const about = `Cannot define plugin ${typeof name === "string" ? name : show(name)}: ${why}`;
    throw failure("E_PLUGIN_FILE", about, fix === undefined ? {} : { fix });
  };
  if (typeof name !== "string" || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    refuse(`its name is ${show(name)}, it should be lower-case words joined by hyphens`);
  if (!pluginKinds.includes(kind as PluginKind))
    refuse(`its kind is ${show(kind)}, it should be one of ${pluginKinds.join(", ")}`);
  checkToken(token, kind as PluginKind, refuse);
  if (typeof create !== "function") refuse(`its create is ${show(create)}, it should be a function`);
  const isSpec = (spec: unknown) =>
    isRecord(spec) && typeof spec.read === "function" && typeof spec.fromText === "function";
  const odd = isRecord(options) ? Object.entries(options).find(([, spec]) => !isSpec(spec)) : ["options", options];
  if (odd) refuse(`its ${odd[0]} is ${show(odd[1])}, it should be made with number, text, boolean, choice, list, …`);
}

type Refuse = (why: string, fix?: string) => void;

/** What the run provides itself. */
const ofTheRun: readonly AnyToken<unknown>[] = [BACKEND, DATASET, DATA_SHAPE, DATA_FOLDER, OUTPUT_FOLDER, TRAIN_LENGTH];

/** Refuses what is no token, and one that names what somebody else provides. */
function checkToken(token: unknown, kind: PluginKind, refuse: Refuse): void {
  if (token === undefined) return;
  const { key, name } = isRecord(token) ? token : {};
  const of = pluginKinds.find((each) => tokenOf(each).key === key);
  const ours = ofTheRun.some((each) => each.key === key);
  if (typeof key === "symbol" && !ours && (of === undefined || of === kind)) return;
  const shown = typeof name === "string" ? `"${name}"` : show(token);
  const what = ours ? "is what a run provides itself" : of ? `is that of kind ${of}` : "is none";
  refuse(
    `its token ${shown} ${what}, a plugin of kind ${kind} needs none`,
    "leave `token` out: it follows from `kind`",
  );
}

/** Whether a value was made by `definePlugin`, of this copy of onestep or another. */
export function isPlugin(value: unknown): value is AnyPlugin {
  return typeof value === "function" && (value as { [PLUGIN]?: unknown })[PLUGIN] === true;
}
