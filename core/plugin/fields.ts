import { failure, suggestion } from "../errors.ts";
import { optionsSchema } from "./schema.ts";
import {
  fromJson,
  type GivenOptions,
  isRecord,
  type OptionSpecs,
  type OptionsOf,
  type Place,
  parsed,
  type Rule,
  refuse,
  within,
} from "./spec.ts";

/** The rule of an object with exactly these options: what is left out gets its default, what is not known is refused. */
export function fields<S extends OptionSpecs>(specs: S): Rule<OptionsOf<S>, GivenOptions<S>> {
  return {
    expected: "an object of options",
    schema: optionsSchema(specs),
    fromText: fromJson,
    parts: true,
    read(value, place) {
      if (!isRecord(value)) return refuse(place, "an object of options", value);
      for (const name of Object.keys(value)) checkKnown(specs, name, place);
      const entries = Object.entries(specs).map(([name, spec]) => {
        const at = within(place, name);
        const given = Object.hasOwn(value, name) ? parsed(spec, value[name], at) : undefined;
        // The default is read as well: it is checked, and a list is copied.
        return [name, spec.read(given === undefined ? spec.default : given, at)];
      });
      return Object.freeze(Object.fromEntries(entries)) as OptionsOf<S>;
    },
  };
}

/** @throws E_UNKNOWN_OPTION where `specs` has nothing of that name */
export function checkKnown(specs: Readonly<Record<string, unknown>>, name: string, place: Place): void {
  if (Object.hasOwn(specs, name)) return;
  const names = Object.keys(specs);
  const full = [...place.path, name].join(".");
  const should = names.length > 0 ? `is not one of ${names.join(", ")}` : "is not an option, expected none";
  throw failure("E_UNKNOWN_OPTION", `Cannot configure ${place.owner}: "${full}" ${should}${suggestion(name, names)}`);
}
