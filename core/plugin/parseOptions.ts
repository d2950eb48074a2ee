import { failure } from "../errors.ts";
import { fields } from "./fields.ts";
import {
  type GivenOptions,
  isRecord,
  type OptionSpecs,
  type OptionsOf,
  type Place,
  type Rule,
  show,
  within,
} from "./spec.ts";

/** A setting from a command line: the dotted name of an option, and the text it is set to. */
export type Setting = readonly [name: string, text: string];

/**
 * Checks options and fills in defaults; the result is frozen. `owner` is whose options they are, in messages.
 * Throws E_UNKNOWN_OPTION (with the nearest name) or E_OPTION (with what is expected and the value).
 */
export function parseOptions<S extends OptionSpecs>(
  owner: string,
  specs: S,
  given: GivenOptions<S> | unknown = {},
): OptionsOf<S> {
  return fields(specs).read(given, { owner, path: [] });
}

/**
 * Lays settings such as `network.channels=32` over options that are still to be parsed; later ones win.
 * Throws E_UNKNOWN_OPTION for a name that leads nowhere; the values are checked by `parseOptions`.
 */
export function applySettings(
  owner: string,
  specs: OptionSpecs,
  given: unknown,
  settings: Iterable<Setting>,
): unknown {
  let result = given;
  for (const [name, text] of settings)
    result = put(fields(specs), { owner, path: [] }, result, name.split("."), text);
  return result;
}

function put(
  rule: Rule<unknown>,
  at: Place,
  given: unknown,
  path: string[],
  text: string,
): unknown {
  if (path.length === 0) return rule.fromText(text);
  const [name, ...rest] = path;
  if (!rule.part) {
    throw failure(
      "E_UNKNOWN_OPTION",
      `Cannot configure ${at.owner}: ${at.path.join(".")} is ${rule.expected} and has no "${name}", set it as a whole`,
    );
  }
  const parts = isRecord(given) ? given : {};
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
  const value = put(rule.part(name, at), within(at, name), part, rest, text);
  // A spread defines the name as the object's own, even `__proto__`.
  return { ...parts, [name]: value };
}

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
