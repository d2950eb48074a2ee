import type { RunConfig } from "../../core/train/mod.ts";

/** A part of a config. */
export type Overlay = { readonly [Section in keyof RunConfig]?: unknown };

/**
 * The choices of one source where sources differ: options that are set together, laid over any config. Sizes, rates and
 * lengths of an experiment are not in it.
 */
export interface Profile {
  readonly name: string;
  readonly about: string;
  /** The method whose options it sets: with another one it means nothing. */
  readonly method: string;
  readonly config: Overlay;
  /** Parts of the source that it leaves out, and why; shown with the settings. */
  readonly without?: readonly string[];
}

/** One option of a profile in the config that is run. */
export interface ProfileSetting {
  /** Such as `losses.gan-generator.weight`. */
  readonly path: string;
  readonly wanted: unknown;
  /** undefined where the section is left out. */
  readonly actual: unknown;
  readonly same: boolean;
}

/** Every option of a profile, with what a resolved config has for it. */
export function profileSettings({ config }: Profile, resolved: object): ProfileSetting[] {
  return leaves(config).map(({ path, value: wanted }) => {
    const actual = path.reduce<unknown>(
      (at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined),
      resolved,
    );
    // A section that is left out is `false` in a config, and gone from a resolved one.
    const off = wanted === false && actual === undefined;
    return { path: path.join("."), wanted, actual, same: off || equal(wanted, actual) };
  });
}

/** The settings as lines for people: what is in effect, and where it deviates from the profile. */
export function profileLines(profile: Profile, resolved: object): string[] {
  const settings = profileSettings(profile, resolved);
  const width = Math.max(...settings.map(({ path }) => path.length));
  const lines = settings.map(({ path, wanted, actual, same }) => {
    const line = `  ${path.padEnd(width)}  ${text(actual)}`;
    return same ? line : `${line}   deviates: ${profile.name} has ${text(wanted)}`;
  });
  const deviations = settings.filter(({ same }) => !same).length;
  return [
    `profile ${profile.name}: ${deviations === 0 ? "all settings are its own" : `${deviations} of ${settings.length} settings deviate`}`,
    ...lines,
    ...(profile.without ?? []).map((each) => `  not in it: ${each}`),
  ];
}

function leaves(value: unknown, path: readonly string[] = []): { path: string[]; value: unknown }[] {
  if (!isObject(value)) return [{ path: [...path], value }];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, [...path, key]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const equal = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const text = (value: unknown): string =>
  value === undefined ? "off" : typeof value === "string" ? value : JSON.stringify(value);
