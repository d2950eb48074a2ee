import { failure } from "../errors.ts";
import { fields } from "./fields.ts";
import { type GivenOptions, isRecord, type OptionSpecs, type OptionsOf, SettingText, show } from "./spec.ts";

/** A setting from a command line: the dotted name of an option, and the text it is set to. */
export type Setting = readonly [name: string, text: string];

/**
 * Checks options and fills in defaults; the result is frozen. `owner` is whose options they are, in messages, and `path` leads
 * to them.
 * Throws E_UNKNOWN_OPTION (with the nearest name) or E_OPTION (with what is expected and the value).
 */
export function parseOptions<S extends OptionSpecs>(
  owner: string,
  specs: S,
  given: GivenOptions<S> | unknown = {},
  path: readonly string[] = [],
): OptionsOf<S> {
  return fields(specs).read(given, { owner, path });
}

/** Parts of a name that are joined by dots; more would make objects too deep to walk through. */
const MOST_PARTS = 32;

/** A setting as a command line gives it, `name=text`. Throws E_OPTION where there is no `=`, or the name is endless. */
export function readSetting(given: string): Setting {
  const at = given.indexOf("=");
  if (at <= 0) throw failure("E_OPTION", `Cannot read --set ${given}: expected name=value, such as train.steps=500`);
  if (given.slice(0, at).split(".", MOST_PARTS + 1).length > MOST_PARTS)
    throw failure("E_OPTION", `Cannot read --set ${given}: its name has more than ${MOST_PARTS} parts, no option has`);
  return [given.slice(0, at), given.slice(at + 1)];
}

/**
 * A setting as an overlay for `mergeConfig`: `["network.channels", "32"]` is `{ network: { channels: … } }`, its text unread
 * until the rule of the option reads it.
 */
export const settingOverlay = ([name, text]: Setting): unknown =>
  name.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), new SettingText(text));

/**
 * `over` laid on `base`: objects merge, everything else replaces; another plugin (`use`) starts from its own defaults.
 */
export function mergeConfig<T>(base: T, over: unknown): T {
  if (over instanceof SettingText && base !== undefined) return new SettingText(over.text, true) as T;
  if (!isPlain(base) || !isPlain(over)) return (over === undefined ? base : over) as T;
  if ("use" in over && "use" in base && textOf(over.use) !== textOf(base.use)) return over as T;
  // Entries, so that even a key `__proto__` is only a name, which the reader of the result refuses.
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) merged.set(key, mergeConfig(merged.get(key), value));
  return Object.fromEntries(merged) as T;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  isRecord(value) && !(value instanceof SettingText);
const textOf = (value: unknown): unknown => (value instanceof SettingText ? value.text : value);

/** One line of `onestep plugins`. */
export interface OptionRow {
  /** The dotted name, as `--set` takes it. */
  readonly name: string;
  readonly expected: string;
  readonly default: string;
  readonly about: string;
}

/** The options of a plugin as rows, groups flattened. */
export function listOptions(specs: OptionSpecs, prefix = ""): OptionRow[] {
  return Object.entries(specs).flatMap(([key, spec]) => {
    const name = prefix + key;
    if (spec.members) return listOptions(spec.members, `${name}.`);
    const initial = spec.default === undefined ? "none" : show(spec.default);
    return [{ name, expected: spec.expected, default: initial, about: spec.about }];
  });
}
