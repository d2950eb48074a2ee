/** Options as JSON Schema (draft 2020-12), from which editors take completion and hover text. */
import type { JsonSchema, OptionSpec, OptionSpecs, Rule } from "./spec.ts";

/** What a rule allows; anything for a rule that does not say it. */
export const schemaOf = ({ schema = {} }: Rule<unknown>): JsonSchema => schema;

/** An object with no other options than these, any of which may be left out. */
export const optionsSchema = (specs: OptionSpecs): JsonSchema => ({
  type: "object",
  properties: propertiesOf(specs),
  additionalProperties: false,
});

/** Each option with its sentence and its default. */
export const propertiesOf = (specs: OptionSpecs): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, described(spec)]));

const described = (spec: OptionSpec<unknown>): JsonSchema => ({
  description: spec.about,
  ...schemaOf(spec),
  ...(spec.default !== undefined && !spec.members && { default: spec.default }),
});
