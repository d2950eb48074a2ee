/**
 * Option specs. A spec is data: a rule, a default and a sentence. Without `default` and `about` the same functions give a
 * bare rule, which is what `list`, `record` and `optional` are made of: `list(number({ min: 0 }), { default: [], about })`.
 */
import { fields } from "./fields.ts";
import { schemaOf } from "./schema.ts";
import {
  fromJson,
  type GivenOptions,
  isRecord,
  type OptionSpec,
  type OptionSpecs,
  type OptionsOf,
  parsed,
  type Rule,
  refuse,
  within,
} from "./spec.ts";

/** What turns a rule into an option. */
export interface Described<T> {
  readonly default: T;
  /** One sentence for `onestep plugins`: what it does, with its unit. */
  readonly about: string;
}

/** The range of a number. Bounds are finite; so are the numbers, because a config file cannot hold others. */
export interface NumberRange {
  /** Smallest allowed value. */
  readonly min?: number;
  /** Every value must be greater than this. */
  readonly above?: number;
  /** Largest allowed value. */
  readonly max?: number;
  readonly integer?: boolean;
}

/** A finite number, whole if `integer`, in [min, max] or (above, max]. */
export function number(settings: NumberRange & Described<number>): OptionSpec<number>;
/** The rule alone, for what lies in a list, a record or an optional one. */
export function number(settings?: NumberRange): Rule<number>;
export function number(settings: NumberRange & Partial<Described<number>> = {}): Rule<number> {
  const { min, above, max, integer = false } = settings;
  const bounded = [min, above, max].some((bound) => bound !== undefined);
  const expected = (integer ? "a whole number" : "a number") + (bounded ? ` in ${interval(settings)}` : "");
  return described(settings, {
    expected,
    schema: {
      type: integer ? "integer" : "number",
      ...(min !== undefined && { minimum: min }),
      ...(above !== undefined && { exclusiveMinimum: above }),
      ...(max !== undefined && { maximum: max }),
    },
    fromText: (text) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text)),
    read(value, place) {
      if (typeof value !== "number" || !Number.isFinite(value)) return refuse(place, expected, value);
      const inside = value >= (min ?? -Infinity) && value > (above ?? -Infinity) && value <= (max ?? Infinity);
      if (!inside || (integer && !Number.isInteger(value))) return refuse(place, expected, value);
      return value;
    },
  });
}

function interval({ min, above, max }: NumberRange): string {
  const low = above !== undefined ? `(${above}` : min !== undefined ? `[${min}` : "(-inf";
  return `${low}, ${max === undefined ? "inf)" : `${max}]`}`;
}

/** True or false. */
export function boolean(settings: Described<boolean>): OptionSpec<boolean>;
/** The rule alone, for what lies in a list, a record or an optional one. */
export function boolean(): Rule<boolean>;
export function boolean(settings: Partial<Described<boolean>> = {}): Rule<boolean> {
  const expected = "true or false";
  return described(settings, {
    expected,
    schema: { type: "boolean" },
    fromText: (text) => (text === "true" ? true : text === "false" ? false : text),
    read: (value, place) => (typeof value === "boolean" ? value : refuse(place, expected, value)),
  });
}

/** Any text. */
export function text(settings: Described<string>): OptionSpec<string>;
/** The rule alone, for what lies in a list, a record or an optional one. */
export function text(): Rule<string>;
export function text(settings: Partial<Described<string>> = {}): Rule<string> {
  return described(settings, {
    expected: "text",
    schema: { type: "string" },
    fromText: (given) => given,
    read: (value, place) => (typeof value === "string" ? value : refuse(place, "text", value)),
  });
}

/** One of the values listed. */
export function choice<const V extends readonly (string | number | boolean)[]>(
  values: V,
  settings: Described<V[number]>,
): OptionSpec<V[number]>;
/** The rule alone, for what lies in a list, a record or an optional one. */
export function choice<const V extends readonly (string | number | boolean)[]>(values: V): Rule<V[number]>;
export function choice<const V extends readonly (string | number | boolean)[]>(
  values: V,
  settings: Partial<Described<V[number]>> = {},
): Rule<V[number]> {
  const expected = `one of ${values.join(", ")}`;
  return described<V[number]>(settings, {
    expected,
    schema: { enum: values },
    fromText: (given) => values.find((value) => String(value) === given) ?? given,
    read: (value, place) => values.find((candidate) => candidate === value) ?? refuse(place, expected, value),
  });
}

/** A list, each element by the rule `of`. As text: JSON in brackets, elements joined by commas, or `none`. */
export function list<T, G>(of: Rule<T, G>, settings: Described<readonly T[]>): OptionSpec<readonly T[], readonly G[]>;
/** The rule alone, for what lies in a list, a record or an optional one. */
export function list<T, G>(of: Rule<T, G>): Rule<readonly T[], readonly G[]>;
export function list<T, G>(
  of: Rule<T, G>,
  settings: Partial<Described<readonly T[]>> = {},
): Rule<readonly T[], readonly G[]> {
  const expected = `a list, each ${of.expected}`;
  return described<readonly T[], readonly G[]>(settings, {
    expected,
    schema: { type: "array", items: schemaOf(of as Rule<unknown>) },
    fromText(given) {
      if (given.trim().startsWith("[")) return fromJson(given);
      return ["", "none"].includes(given.trim()) ? [] : given.split(",").map((element) => of.fromText(element.trim()));
    },
    read(value, place) {
      if (value === "none") return Object.freeze([]);
      if (!Array.isArray(value)) return refuse(place, expected, value);
      return Object.freeze(value.map((element, i) => of.read(element, within(place, String(i)))));
    },
  });
}

/** Values by any name, each by the rule `of`: the weights of losses, the channels of layers. */
export function record<T, G>(
  of: Rule<T, G>,
  settings: Described<Readonly<Record<string, T>>>,
): OptionSpec<Readonly<Record<string, T>>, Readonly<Record<string, G>>>;
/** The rule alone, for what lies in a list, a record or an optional one. */
export function record<T, G>(of: Rule<T, G>): Rule<Readonly<Record<string, T>>, Readonly<Record<string, G>>>;
export function record<T, G>(
  of: Rule<T, G>,
  settings: Partial<Described<Readonly<Record<string, T>>>> = {},
): Rule<Readonly<Record<string, T>>, Readonly<Record<string, G>>> {
  const expected = `an object, each value ${of.expected}`;
  return described<Readonly<Record<string, T>>, Readonly<Record<string, G>>>(settings, {
    expected,
    schema: { type: "object", additionalProperties: schemaOf(of as Rule<unknown>) },
    fromText: fromJson,
    parts: true,
    read(value, place) {
      if (!isRecord(value)) return refuse(place, expected, value);
      const entries = Object.entries(value).map(([name, element]) => {
        const at = within(place, name);
        return [name, of.read(parsed(of as Rule<unknown>, element, at), at)];
      });
      return Object.freeze(Object.fromEntries(entries));
    },
  });
}

/** Options below a name: `{ network: group({ channels: … }, { about }) }` is set with `network.channels=…`. */
export function group<S extends OptionSpecs>(
  members: S,
  settings: { readonly about: string },
): OptionSpec<OptionsOf<S>, GivenOptions<S>> {
  const defaults = Object.entries(members).map(([name, spec]) => [name, spec.default]);
  return {
    ...fields(members),
    default: Object.fromEntries(defaults) as OptionsOf<S>,
    about: settings.about,
    members,
  };
}

/** A value that may be absent; absent by default. Null, and the text `none`, as a setting `off` too, mean absent. */
export function optional<T, G>(
  of: Rule<T, G>,
  settings: { readonly about: string },
): OptionSpec<T | undefined, G | null | undefined> {
  return {
    expected: `${of.expected}, or none`,
    schema: { anyOf: [schemaOf(of as Rule<unknown>), { type: "null" }] },
    default: undefined,
    about: settings.about,
    parts: of.parts,
    fromText: (given) => (given === "none" || given === "off" ? null : of.fromText(given)),
    read: (value, place) =>
      value === undefined || value === null || value === "none" ? undefined : of.read(value, place),
  };
}

function described<T, G = T>(settings: Partial<Described<T>>, rule: Rule<T, G>): Rule<T, G> {
  const { default: initial, about } = settings;
  if (initial === undefined || about === undefined) return rule;
  const spec: OptionSpec<T, G> = { ...rule, default: initial, about };
  return spec;
}
