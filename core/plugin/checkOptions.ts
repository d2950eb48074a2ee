import { checkKnown } from "./fields.ts";
import { isRecord, type Rule, refuse } from "./spec.ts";

/** Rules of options by name, those that a config file can't hold included. */
export type OptionRules = Readonly<Record<string, Rule<unknown>>>;

/** A function. */
export const callback: Rule<unknown> = {
  expected: "a function",
  fromText: (text) => text,
  read: (value, place) => (typeof value === "function" ? value : refuse(place, "a function", value)),
};

/** An object of any names. */
export const object: Rule<unknown> = {
  expected: "an object",
  fromText: (text) => text,
  read: (value, place) => (isRecord(value) ? value : refuse(place, "an object", value)),
};

/**
 * Holds the options of something that is no plugin, such as a backend, to their rules. What is undefined is left out.
 * @param owner whose options they are, in messages
 * @throws E_UNKNOWN_OPTION or E_OPTION
 */
export function checkOptions(owner: string, rules: OptionRules, given: unknown): void {
  if (!isRecord(given)) refuse({ owner, path: [] }, "an object of options", given);
  for (const [name, value] of Object.entries(given)) {
    checkKnown(rules, name, { owner, path: [] });
    if (value !== undefined) rules[name].read(value, { owner, path: [name] });
  }
}
