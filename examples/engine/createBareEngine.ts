import { failure } from "../../core/errors.ts";
import type { Backend, Cache } from "../../core/interfaces/mod.ts";
import type { FileSystem } from "../../core/io/files.ts";
import {
  type AnyPlugin,
  boolean,
  callback,
  checkOptions,
  number,
  object,
  Registry,
  type Rule,
  text,
} from "../../core/plugin/mod.ts";
import { isRecord, refuse } from "../../core/plugin/spec.ts";
import type { Around } from "./around.ts";
import { type Engine, forPrograms, OpenEngine } from "./engine.ts";
import { type DeviceOptions, openDevice } from "./openDevice.ts";

/** Names of devices; any other text is part of an adapter's name. */
export type DeviceName = "auto" | "webgpu" | "software" | "wasm" | "reference" | (string & {});

/** What an engine is made of. */
export interface EngineOptions extends DeviceOptions {
  /**
   * Where it computes: by name, or a backend that is open, which stays its caller's to close. `auto`, the default, is a GPU where there is
   * one, else WebAssembly on the CPU.
   */
  readonly device?: DeviceName | Backend;
  /** The plugins that it knows; all that come with onestep by default. */
  readonly plugins?: Iterable<AnyPlugin>;
  /** Where paths lead; without them weights come as bytes, and nothing is written. */
  readonly files?: FileSystem;
  /** Keeps what takes long to make and later runs can use again. */
  readonly cache?: Cache;
}

/** What a bare engine is made of: it knows the plugins that it is given, and no others are in its bundle. */
export type BareOptions = EngineOptions & Required<Pick<EngineOptions, "plugins">>;

const rules: Readonly<Record<keyof EngineOptions, Rule<unknown>>> = {
  device: {
    expected: "the name of a device or a backend",
    fromText: (text) => text,
    read(value, place) {
      const isBackend =
        isRecord(value) && typeof value.compile === "function" && typeof value.createMemory === "function";
      return typeof value === "string" || isBackend ? value : refuse(place, "the name of a device or a backend", value);
    },
  },
  plugins: {
    expected: "a list of plugins",
    fromText: (text) => text,
    read(value, place) {
      const isList = typeof value === "object" && value !== null && Symbol.iterator in value;
      return isList ? value : refuse(place, "a list of plugins", value);
    },
  },
  files: object,
  cache: object,
  threads: number({ min: 1, max: 1024, integer: true }),
  wide: boolean(),
  tune: text(),
  onWarmUp: callback,
  onProblem: callback,
  note: callback,
};

/**
 * `createEngine` without plugins of its own and without models of others, for bundles: the import `onestep/engine/bare`. What is loaded is
 * what the plugins need, the device that is opened, and training or judging once it is asked for. Throws as `createEngine`.
 */
export const createBareEngine = (options: BareOptions): Promise<Engine> =>
  forPrograms(async () => {
    checkOptions("createEngine", rules, options);
    if (options.plugins === undefined)
      throw failure("E_OPTION", "Cannot make a bare engine: plugins is missing, expected a list of plugins", {
        fix: 'give those that weights or configs name, or use createEngine of "onestep/engine", which has all',
      });
    return engineOver(options, {});
  });

/** An engine over the plugins and the device of options that are checked here. */
export async function engineOver(options: BareOptions, more: Pick<Around, "models">): Promise<Engine> {
  checkOptions("createEngine", rules, options);
  const { device = "auto", plugins, files, cache, note = () => {}, ...how } = options;
  // Before a device is opened, which takes longer.
  const registry = new Registry().register(plugins);
  const parts = { registry, files, cache, note, ...more };
  if (typeof device !== "string") return new OpenEngine({ ...parts, backend: device });
  const open = () => openDevice(device, { note, ...how });
  return new OpenEngine({ ...parts, backend: await open(), open });
}
