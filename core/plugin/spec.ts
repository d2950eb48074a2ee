import { failure } from "../errors.ts";
import { parseJson } from "../json/parseJson.ts";

/** Where a value stands: whose options, and the names that lead to it. */
export interface Place {
  readonly owner: string;
  readonly path: readonly string[];
}

/** JSON Schema of a value, of the draft 2020-12. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** What a value may be: how to read it from a config file, and from the text of `--set name=text`. */
export interface Rule<T, Given = T> {
  /** Ends the sentence "<option> must be …". */
  readonly expected: string;
  /** Parses the text. Text that does not parse is returned unchanged, so that `read` can quote it in its error. */
  fromText(text: string): unknown;
  /** The checked value. Throws E_OPTION or E_UNKNOWN_OPTION, naming the place. */
  read(value: unknown, place: Place): T;
  /** The same for editors that help with config files; anything where absent. */
  readonly schema?: JsonSchema;
  /** Whether parts of the value can be set by name. */
  readonly parts?: boolean;
  /** For the type checker only, never set: what may be written where T is read. */
  readonly given?: Given;
}

/** One option: a rule, its default, and a sentence that says what it does, with its unit. */
export interface OptionSpec<T, Given = T> extends Rule<T, Given> {
  readonly default: T;
  readonly about: string;
  /** The options of a group. */
  readonly members?: OptionSpecs | undefined;
}

/** The options of a plugin by name. */
export type OptionSpecs = Readonly<Record<string, OptionSpec<unknown>>>;

/** The options as a plugin's `create` gets them: all present. */
export type OptionsOf<S extends OptionSpecs> = {
  readonly [K in keyof S]: S[K] extends OptionSpec<infer T, infer _> ? T : never;
};

/** The options as a user may write them: any may be left out. */
export type GivenOptions<S extends OptionSpecs> = {
  readonly [K in keyof S]?: S[K] extends OptionSpec<infer _, infer Given> ? Given : never;
};

/** The place of a named part of what stands at `place`. */
export const within = (place: Place, name: string): Place => ({
  owner: place.owner,
  path: [...place.path, name],
});

/** Throws E_OPTION: the option at `place` must be `expected`. */
export function refuse(place: Place, expected: string, value: unknown): never {
  const what = place.path.length > 0 ? place.path.join(".") : "the options";
  throw failure(
    "E_OPTION",
    `Cannot configure ${place.owner}: ${what} must be ${expected}, current value is ${show(value)}`,
  );
}

/** A value as messages and listings print it: JSON, cut at 60 characters. */
export function show(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint" || value === undefined) return String(value);
  if (typeof value === "function") return "a function";
  let text: string;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = Object.prototype.toString.call(value); // a circular structure, or one without end
  }
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/** Whether the text of a setting says that there should be nothing: no plugin, no file. */
export const saysNothing = (text: string): boolean => ["off", "false", "none"].includes(text);

/** Parses JSON. Text that is not JSON, or nested beyond reason, is returned unchanged. */
export function fromJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

/** Whether a value is a record of names: an object that is neither null nor an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a command line gives it; the rule of the option parses the text when it is read. */
export class SettingText {
  readonly text: string;
  /** Whether it was laid over a value that was there. */
  readonly replaces: boolean;
  constructor(text: string, replaces = false) {
    this.text = text;
    this.replaces = replaces;
  }
  toJSON(): string {
    return this.text;
  }
}

/**
 * A given value, parsed by its rule where it is the text of a setting.
 * Throws E_UNKNOWN_OPTION for a setting of a part where the value has no parts.
 */
export function parsed(rule: Rule<unknown>, value: unknown, place: Place): unknown {
  if (value instanceof SettingText) return rule.fromText(value.text);
  if (rule.parts || !isRecord(value)) return value;
  const part = Object.keys(value).find((name) => value[name] instanceof SettingText);
  if (part === undefined) return value;
  throw failure(
    "E_UNKNOWN_OPTION",
    `Cannot configure ${place.owner}: ${place.path.join(".")} is ${rule.expected} and has no "${part}", set it as a whole`,
  );
}
