/** Reads the JSON that diffusers writes beside weights. What it says is believed only where onestep does the same. */
import { failure, type OnestepError } from "../../../core/errors.ts";
import type { JsonObject, ModelPart } from "../../../core/interfaces/mod.ts";

/** The error of a setting with another value than those that are known. */
export const unknownSetting = (from: string, name: string, value: unknown, known: string): OnestepError =>
  failure("E_CONFIG", `Cannot use ${from}: ${name} is ${shown(value)}, should be ${known}`, {
    fix: "use a model of a kind that onestep knows",
  });

/** The settings of a part, and where they stand, for messages: its `config.json`, or the weights that they were told from. */
export const settingsOf = ({ from, config = {}, configFrom = from }: ModelPart) => ({ config, from: configFrom });

/** Throws E_CONFIG unless the groups of normalisations, 32 where the file does not say it, divide all channels. */
export function checkGroups(from: string, settings: JsonObject, channels: readonly number[]): void {
  const groups = numberOf(from, settings, "norm_num_groups", { min: 1, whole: true }) ?? 32;
  const odd = channels.find((width) => width % groups !== 0);
  if (odd !== undefined) throw unknownSetting(from, "norm_num_groups", groups, `a divisor of ${channels.join(", ")}`);
}

/** A setting that may be left out, or be one of some values. @throws E_CONFIG for any other */
export function oneOf<T extends string | number | boolean>(
  from: string,
  settings: JsonObject,
  name: string,
  ...known: readonly T[]
): T | undefined {
  const value = settings[name] ?? undefined;
  if (value === undefined) return undefined;
  const found = known.find((each) => each === value);
  if (found === undefined) throw unknownSetting(from, name, value, known.map(String).join(" or "));
  return found;
}

/** Layers of one kind in a row at most: far more than a model has, and few enough to be traced in a moment. */
export const MOST_LAYERS = 200;
/** Channels, heads and other sizes of a network at most. */
export const MOST_CHANNELS = 65_536;

/** A number that may be left out. @throws E_CONFIG for what is none, or is not from `min` to `max` */
export function numberOf(
  from: string,
  settings: JsonObject,
  name: string,
  { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, whole = false } = {},
): number | undefined {
  const value = settings[name] ?? undefined;
  if (value === undefined) return undefined;
  if (
    typeof value === "number" &&
    Number.isFinite(value) &&
    value >= min &&
    value <= max &&
    !(whole && !Number.isInteger(value))
  )
    return value;
  const kind = whole ? "a whole number" : "a number";
  const least = min > Number.NEGATIVE_INFINITY ? `${kind} from ${min}` : kind;
  throw unknownSetting(from, name, value, max < Number.POSITIVE_INFINITY ? `${least} to ${max}` : least);
}

/** One number or a list of them as a list; undefined where it is left out. @throws E_CONFIG for anything else */
export function numbersOf(
  from: string,
  settings: JsonObject,
  name: string,
  most = MOST_CHANNELS,
): readonly number[] | undefined {
  const value = settings[name] ?? undefined;
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : [value];
  if (list.length > 0 && list.length <= 64 && list.every((each) => Number.isInteger(each) && each > 0 && each <= most))
    return list;
  throw unknownSetting(from, name, value, `a whole number from 1 to ${most}, or a list of them`);
}

/** A list of texts; undefined where it is left out. @throws E_CONFIG for anything else */
export function textsOf(from: string, settings: JsonObject, name: string): readonly string[] | undefined {
  const value = settings[name] ?? undefined;
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.length <= 64 && value.every((each) => typeof each === "string")) return value;
  throw unknownSetting(from, name, value, "a list of names");
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
