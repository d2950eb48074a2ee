import type { Resolver } from "../di/resolver.ts";
import { failure, OnestepError } from "../errors.ts";
import type { CompleteDefinition } from "./definePlugin.ts";
import type { PluginKind } from "./kinds.ts";
import { isRecord, type OptionSpecs, type OptionsOf } from "./spec.ts";
import { tokenOf } from "./tokens.ts";

/** What a member of a plugin's value must be. */
type Member = "text" | "a number" | "a list" | "an object" | "a function";

const role = { bind: "a function", declare: "a function" } as const;

/**
 * What a run can't do without in the value of each kind of plugin. Types say it as well, but a plugin in JavaScript, or one that
 * was never compiled, has not been checked by them.
 */
const members: Readonly<Record<PluginKind, Readonly<Record<string, Member>>>> = {
  dataset: { name: "text", shape: "an object", size: "a number", batch: "a function" },
  network: { apply: "a function", features: "a function" },
  process: { denoiser: "a function", weight: "a function", scale: "a function", start: "a function" },
  teacher: role,
  generator: { ...role, sigmas: "a list" },
  critic: role,
  sampler: { sigmaMax: "a number", steps: "a list" },
  method: {}, // checkParts says more
  extractor: { name: "text", reads: "an object", widths: "an object", bind: "a function", load: "a function" },
  encoder: { name: "text", context: "a number", tokens: "a function", bind: "a function", load: "a function" },
  autoencoder: {
    name: "text",
    channels: "an object",
    factor: "a number",
    tile: "a number",
    bind: "a function",
    load: "a function",
  },
  pipeline: { name: "text", reads: "a function", open: "a function" },
  loss: { name: "text", role: "text", weight: "a number", compute: "a function" },
  optimizer: { role: "text", clip: "a number", moments: "a list", scalars: "a function", update: "a function" },
  average: { role: "text", keep: "a function" },
  balancer: { rebalance: "a function" },
  metric: { name: "text", begin: "a function" },
  monitor: { name: "text", begin: "a function" },
  observer: { observe: "a function" },
};

const is: Readonly<Record<Member, (value: unknown) => boolean>> = {
  text: (value) => typeof value === "string",
  "a number": (value) => typeof value === "number",
  "a list": Array.isArray,
  "an object": isRecord,
  "a function": (value) => typeof value === "function",
};

/**
 * What a plugin makes, checked.
 * @throws E_PLUGIN when `create` throws, or makes nothing or something else than its kind asks for; also by the promise it gives
 */
export function made<S extends OptionSpecs, T>(
  definition: CompleteDefinition<S, T>,
  options: OptionsOf<S>,
  container: Resolver,
): T {
  const { name, kind, token } = definition;
  const plugin = `${kind} "${name}"`;
  // A plugin may provide a token of its own, of which nothing is known.
  const own = token.key !== tokenOf(kind).key;
  const expected = Object.entries(own ? {} : members[kind]);
  const check = (value: unknown): unknown => {
    if (own ? value === undefined : !isRecord(value))
      throw pluginFault(plugin, `its create made ${whatIs(value)}`, `should be ${withMembers(expected)}`);
    for (const [member, kind] of expected) {
      const given = (value as Readonly<Record<string, unknown>>)[member];
      const found = given === undefined ? `without ${member}` : `whose ${member} is ${whatIs(given)}`;
      if (!is[kind](given)) throw pluginFault(plugin, `its create made an object ${found}`, `should be ${kind}`);
    }
    return value;
  };
  const value = attempt(plugin, "create", () => definition.create(options, container));
  if (!(value instanceof Promise)) return check(value) as T;
  const settled = value.then(check, (error: unknown) => {
    throw blamed(plugin, "create", error);
  });
  return settled as T;
}

const withMembers = (expected: readonly (readonly [string, Member])[]): string =>
  expected.length > 0 ? `an object with ${expected.map(([member]) => member).join(", ")}` : "an object";

/**
 * Runs what a plugin has brought along. What it throws is the plugin's fault, unless it is an error of the catalogue.
 * @param plugin such as `loss "charbonnier"`
 * @param member the function of the plugin that runs
 */
export function attempt<R>(plugin: string, member: string, run: () => R): R {
  try {
    return run();
  } catch (error) {
    throw blamed(plugin, member, error);
  }
}

function blamed(plugin: string, member: string, error: unknown): unknown {
  if (error instanceof OnestepError) return error;
  // What the options ask for is more than an array can hold.
  if (error instanceof RangeError && /\blength\b|allocation/i.test(error.message))
    return failure("E_OPTION", `Cannot use ${plugin}: its options ask for more than fits into memory`, {
      cause: error,
      fix: "choose smaller numbers among its options",
    });
  return pluginFault(plugin, `its ${member} threw ${String(error)}`, undefined, error);
}

/** The error of a plugin that does not do what its kind promises. */
export const pluginFault = (plugin: string, what: string, expected?: string, cause?: unknown): OnestepError =>
  failure("E_PLUGIN", `Cannot use ${plugin}: ${what}${expected ? `, ${expected}` : ""}`, { cause });

/** A value in an error about a plugin. */
export function whatIs(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null || typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return `the text ${JSON.stringify(value)}`;
  return typeof value === "function" ? "a function" : "an object";
}
