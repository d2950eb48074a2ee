/** Settings of a case, watched: one that its kind has not read took no part in the result, whatever the numbers say. */
import { Unsupported } from "./kind.ts";

// biome-ignore lint/suspicious/noExplicitAny: every case has settings of its own, and its kind knows them.
export type Settings = any;

/** What is known of the settings behind a proxy. */
interface Watch {
  readonly settings: Readonly<Record<string, unknown>>;
  readonly read: Set<string>;
  /** Values as they are handed out: groups of settings are watched too. */
  readonly values: Map<string, unknown>;
  settled: boolean;
}

const watches = new WeakMap<object, Watch>();

const isGroup = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const handedOut = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(handedOut);
  return isGroup(value) ? watched(value) : value;
};

/** The same settings, which note what is read of them. They are read by name: to list or spread them is an error. */
export function watched(settings: Settings): Settings {
  const watch: Watch = { settings, read: new Set(), values: new Map(), settled: false };
  const { read, values } = watch;
  const proxy = new Proxy(settings, {
    get(target, key) {
      if (typeof key === "symbol") return Reflect.get(target, key);
      read.add(key);
      if (!values.has(key)) values.set(key, handedOut(target[key]));
      return values.get(key);
    },
    ownKeys() {
      throw new Error("settings are read by name, since whoever lists them seems to read them all");
    },
  });
  watches.set(proxy, watch);
  return proxy;
}

/** Names of the settings that were not read, such as `args.eta`; null, and a group without settings, say nothing. */
export function unread(settings: Settings): string[] {
  const watch = watches.get(settings);
  if (!watch) throw new Error("these settings are not watched");
  if (watch.settled) return [];
  return Object.entries(watch.settings).flatMap(([name, value]) => {
    if (watch.read.has(name)) return unreadWithin(watch.values.get(name), name);
    return value === null || (isGroup(value) && Object.keys(value).length === 0) ? [] : [name];
  });
}

function unreadWithin(value: unknown, name: string): string[] {
  if (Array.isArray(value)) return value.flatMap((each, i) => unreadWithin(each, `${name}[${i}]`));
  return isGroup(value) ? unread(value).map((inner) => `${name}.${inner}`) : [];
}

/** Settings that change no number in any case. */
const SILENT = new Set(["id", "note", "notes", "formula"]);

/**
 * Fails when a setting was not read.
 * @param silent names, at any depth, of settings that change no number
 * @throws Unsupported with their names
 */
export function refuseUnread(settings: Settings, silent: readonly string[] = []): void {
  const left = unread(settings).filter((path) => {
    const name = path.slice(path.lastIndexOf(".") + 1);
    return !SILENT.has(name) && !silent.includes(name);
  });
  if (left.length > 0)
    throw new Unsupported(
      left.length === 1 ? `setting ${left[0]} is not read` : `settings ${left.join(", ")} are not read`,
    );
}

/** From now on these settings count as read: they are judged. */
export function settle(settings: Settings): void {
  watches.get(settings)!.settled = true;
}

/** All of a group of settings at once, unwatched. */
export function whole(settings: Settings): Settings {
  settle(settings);
  return watches.get(settings)!.settings;
}

/**
 * Settings of a case that holds a part of what `run`, the settings of another case, describes: read as far as those are.
 * @throws Unsupported where the two differ, or `run` has a setting that was not read
 */
export function readAs(settings: Settings, run: Settings, silent: readonly string[] = []): void {
  const [own, others] = [settings, run].map((each) => JSON.stringify(watches.get(each)!.settings));
  if (own !== others) throw new Unsupported("its settings are not those of its run");
  refuseUnread(run, silent);
  settle(settings);
}

/** Settings with some of them replaced. */
export const replaced = (settings: Settings, by: Readonly<Record<string, unknown>>): Settings =>
  Object.assign(Object.create(settings), by);

/** Reads settings that another one turns off. */
export function ignore(settings: Settings, ...names: string[]): void {
  for (const name of names) void settings[name];
}

/**
 * A setting of which the product has some values only; the value may be absent.
 * @throws Unsupported for any other value
 */
export function only<T>(settings: Settings, name: string, ...known: readonly T[]): T | undefined {
  const value = settings[name] ?? undefined;
  const text = (each: unknown) => JSON.stringify(isGroup(each) ? whole(each) : each);
  if (value !== undefined && !known.some((each) => JSON.stringify(each) === text(value)))
    throw new Unsupported(`no ${name} ${text(value)}`);
  return value;
}
