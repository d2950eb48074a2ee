/// <reference lib="esnext.disposable" preserve="true" />
import { type ErrorCode, failure, OnestepError } from "../../core/errors.ts";
import type { Backend, DeviceInfo } from "../../core/interfaces/mod.ts";
import type { Registry } from "../../core/plugin/mod.ts";
import type { RunConfig } from "../../core/train/config/config.ts";
import type { Around } from "./around.ts";
import { type LoadOptions, loadModel } from "./load.ts";
import type { Model } from "./model.ts";
import type { MetricName, RoleName } from "./names.ts";
import type { Training, TrainOptions } from "./training.ts";

/** A device with plugins, and all that is done with them. */
export interface Engine extends AsyncDisposable {
  /** What computes. */
  readonly device: DeviceInfo;
  /** The device, for what has no word here. */
  readonly backend: Backend;
  /** The plugins that are known. */
  readonly registry: Registry;
  /**
   * Checks a config, its data and the folder of its results, and makes a run of it, which its `start` begins.
   * @throws E_CONFIG, E_OPTION, E_UNKNOWN_OPTION or E_MISSING_PLUGIN for the config, E_DATA or E_FILE for the data, E_RUN_EXISTS, E_DEVICE_LIMIT,
   * E_PLUGIN for a plugin that throws, E_ABORTED
   */
  train<const C extends RunConfig>(config: C, options?: TrainOptions): Promise<Training<RoleName<C>, MetricName<C>>>;
  /**
   * Loads weights that a run wrote: the bytes of their file, its path, or the folder of the run; or a model of others that makes pictures,
   * by its folder or file. Paths are those of the engine's files.
   * @throws E_FILE, E_CHECKPOINT, E_MISSING_PLUGIN, E_ABORTED
   */
  load(source: string | Uint8Array | ArrayBuffer, options?: LoadOptions): Promise<Model>;
  /**
   * Ends runs, disposes models, and closes the device, unless it was given open. A second call does nothing. `await using` calls it
   * at the end of the block.
   */
  dispose(): Promise<void>;
}

/** What an engine is made of, once its device is open. */
export interface EngineParts extends Omit<Around, "forget"> {
  /** Opens the same device again, after the loss of it; the backend is then the engine's own to close. */
  readonly open?: () => Promise<Backend>;
}

/** All that an engine does. What it has made, it disposes at its end. */
export class OpenEngine implements Engine {
  readonly registry: Registry;
  readonly #parts: EngineParts;
  readonly #owned = new Set<{ dispose(): Promise<void> }>();
  #backend: Backend;
  #disposed = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#backend = parts.backend;
    this.registry = parts.registry;
  }

  get backend(): Backend {
    return this.#backend;
  }
  get device(): DeviceInfo {
    return this.#backend.info;
  }

  train<const C extends RunConfig>(config: C, options?: TrainOptions): Promise<Training<RoleName<C>, MetricName<C>>> {
    return this.#own(async (around) => {
      const { makeTraining } = await import("./training.ts");
      const { open } = this.#parts;
      const reopen = async () => {
        await this.#backend.close();
        this.#backend = await open!();
        return this.#backend;
      };
      return makeTraining(config, { ...around, reopen: open && reopen }, options);
    });
  }

  load(source: string | Uint8Array | ArrayBuffer, options?: LoadOptions): Promise<Model> {
    return this.#own((around) => loadModel(source, around, options));
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const owned of [...this.#owned].reverse()) await owned.dispose();
    if (this.#parts.open) await this.#backend.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** Makes something that the engine disposes at its end; what is made after that is disposed at once. */
  #own<T extends { dispose(): Promise<void> }>(make: (around: Around) => Promise<T>): Promise<T> {
    return forPrograms(async () => {
      this.#refuseDisposed();
      const forget = (owned: object) => void this.#owned.delete(owned as T);
      const { open: _, ...parts } = this.#parts;
      const made = await make({ ...parts, backend: this.#backend, forget });
      if (this.#disposed) await made.dispose();
      this.#refuseDisposed();
      this.#owned.add(made);
      return made;
    });
  }

  #refuseDisposed(): void {
    if (this.#disposed) throw failure("E_DISPOSED", "Cannot use the engine: it is disposed");
  }
}

/** Ways out of errors, for programs: those of the catalogue name flags of the command line. */
const fixes: Partial<Record<ErrorCode, string>> = {
  E_MISSING_PLUGIN: "give the plugin to createEngine, with all others: plugins: [...allPlugins, yours]",
  E_PLUGIN_FILE: "give plugins that definePlugin of this version of onestep has made",
  E_RUN_EXISTS: 'go on with it with existing: "resume", replace it with existing: "replace", or choose another folder',
  E_NO_ADAPTER: 'take another device: "auto", "wasm" or "reference"',
};

/** The result of work, or its error with a way out that a program can take. */
export async function forPrograms<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const fix = error instanceof OnestepError ? fixes[error.code] : undefined;
    if (!(error instanceof OnestepError) || fix === undefined) throw error;
    throw failure(error.code, error.message, { cause: error, fix });
  }
}
