/// <reference lib="esnext.disposable" preserve="true" />
import { failure } from "../../core/errors.ts";
import type { Backend, DataFolder, Observer } from "../../core/interfaces/mod.ts";
import { checkOptions, choice, list, number, object, type Rule, text } from "../../core/plugin/mod.ts";
import {
  type Command,
  type EventBus,
  type EventOf,
  type EventType,
  encodeWeights,
  type HealthWarning,
  type Judgement,
  Run,
  type RunConfig,
  resolveConfig,
  type TrainEvent,
} from "../../core/train/mod.ts";
import { abortable, throwIfAborted, unlessAborted } from "./abort.ts";
import { type Around, dataFolder, filesOf } from "./around.ts";
import { eventsOf } from "./eventQueue.ts";
import type { LoadOptions } from "./load.ts";
import type { Model } from "./model.ts";
import type { MetricName, RoleName } from "./names.ts";
import { signalRule } from "./sampleRequest.ts";
import { StoredModel } from "./storedModel.ts";

/** How a run is trained. */
export interface TrainOptions {
  /** Folder of the data, where the dataset reads files. */
  readonly data?: string | DataFolder;
  /** Folder for the results; nothing is written without one. */
  readonly out?: string;
  /** What to do with a run that is in it: go on, or replace it. By default it is refused. */
  readonly existing?: "resume" | "replace";
  readonly observers?: readonly Observer[];
  /** Bytes of memory that the host has left, where that is known: what is sure to need more is refused before it begins. */
  readonly memory?: number;
  /**
   * Ends the run after the step that is on, with a checkpoint where it has a folder, so that it can be resumed; `start` then rejects
   * with E_ABORTED. Aborted while the run is made, nothing is left of it.
   */
  readonly signal?: AbortSignal;
}

const rules: Readonly<Record<keyof TrainOptions, Rule<unknown>>> = {
  data: { expected: "a folder", fromText: (text) => text, read: (value) => value },
  out: text(),
  existing: choice(["resume", "replace"]),
  observers: list(object),
  memory: number({ min: 0 }),
  signal: signalRule,
};

/** What became of a run. */
export interface Trained<R extends string = string, M extends string = string> {
  readonly reason: "complete" | "stopped";
  /** Real data, and every role that draws samples, judged by the metrics of the config; none of a run that was stopped. */
  readonly judgements: readonly Judged<R, M>[];
  /** What the monitors of its health have found, in order. */
  readonly warnings: readonly HealthWarning[];
}

/** One line of a run's result: whose samples, at what cost, and what the metrics say. */
export interface Judged<R extends string = string, M extends string = string> extends Judgement {
  readonly who: R | "data";
  readonly metrics: Readonly<Record<M, number>>;
}

/** A run that is checked and ready: nothing is computed before `start`, or before its events are read. */
export interface Training<R extends string = string, M extends string = string>
  extends AsyncIterable<TrainEvent>,
    AsyncDisposable {
  /** All events as an Observable; an error in its subscriber is not caught. */
  readonly events: EventBus["all"];
  /** The run itself, with all that it can do. */
  readonly run: Run;
  /** Calls a listener for each event of a type; returns the function that ends it. One that throws is told of in `run/warning`. */
  on<K extends EventType>(type: K, listener: (event: EventOf<K>) => unknown): () => void;
  /** Events of these types for `for await`, from now to the end of the run. Does not start it. */
  only<K extends EventType>(...types: readonly K[]): AsyncGenerator<Extract<TrainEvent, { type: K }>, void>;
  /** Runs to the end, or until `stop`. Called again, it gives the same promise. @throws what ended the run; E_ABORTED */
  start(): Promise<Trained<R, M>>;
  /** Ends the run after the step that is on, with a checkpoint where it has a folder. */
  stop(): void;
  /** Pauses, resumes, takes a picture, changes the weight of a loss. @throws OptionError */
  send(command: Command): void;
  /** A role as it is now, to sample from and judge; of who makes the samples, or learns from itself, without a name. */
  model(role?: R, options?: Pick<LoadOptions, "batch">): Promise<Model>;
  /** The bytes of its weights file, which `load` and `onestep sample` take. */
  weights(role?: R): Promise<Uint8Array>;
  /** Ends the run where it is on, and frees what it has on the device. Models that were made of it stay. */
  dispose(): Promise<void>;
}

/** What an engine gives to a run, besides what all get. */
export interface RunAround extends Around {
  /** Opens the engine's device again; absent where it can't. */
  readonly reopen?: () => Promise<Backend>;
}

/** Checks a config, its data and the folder, and makes the run. Throws as `Run.create` and `resolveConfig`; E_ABORTED. */
export async function makeTraining<const C extends RunConfig>(
  config: C,
  around: RunAround,
  options: TrainOptions = {},
): Promise<Training<RoleName<C>, MetricName<C>>> {
  checkOptions("train", rules, options);
  const { data, out, existing, observers, memory, signal } = options;
  const resolved = resolveConfig(config, around.registry);
  // Once it is made, a run that is aborted ends by itself, with a checkpoint: its data must then be readable to the end of the step.
  const making = new AbortController();
  const abort = () => making.abort(signal?.reason);
  signal?.addEventListener("abort", abort);
  return unlessAborted(signal, "train", async () => {
    const files = around.files && abortable(around.files, making.signal, "train");
    const output = out === undefined ? undefined : { files: filesOf(around, "train"), path: out, existing };
    const run = await Run.create({
      resolved,
      backend: around.backend,
      data: await dataFolder(data, around, making.signal, "train"),
      openWeights: files && (await around.models?.())?.weightsOpener(files),
      cache: around.cache,
      reopen: output && around.reopen,
      ...{ output, observers, memory },
    });
    const training = new StartedRun<RoleName<C>, MetricName<C>>(run, around, signal);
    if (!signal?.aborted) return training;
    await training.dispose();
    throwIfAborted(signal, "train");
    return training;
  }).finally(() => signal?.removeEventListener("abort", abort));
}

/** A run whose names of roles and numbers are those that the type of its config says. */
class StartedRun<R extends string, M extends string> implements Training<R, M> {
  readonly run: Run;
  readonly #around: RunAround;
  readonly #signal: AbortSignal | undefined;
  #result: Promise<Trained<R, M>> | undefined;
  /** Weights that are being read: what is disposed meanwhile waits for them. */
  #reading: Promise<unknown> = Promise.resolve();
  #disposed = false;

  constructor(run: Run, around: RunAround, signal: AbortSignal | undefined) {
    this.run = run;
    this.#around = around;
    this.#signal = signal;
  }

  get events(): EventBus["all"] {
    return this.run.bus.all;
  }

  on<K extends EventType>(type: K, listener: (event: EventOf<K>) => unknown): () => void {
    return this.run.bus.on(type, listener);
  }

  only<K extends EventType>(...types: readonly K[]): AsyncGenerator<Extract<TrainEvent, { type: K }>, void> {
    return eventsOf(this.run.bus, types);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TrainEvent, void> {
    const events = eventsOf(this.run.bus);
    const result = this.start();
    // It is told of below, once the events before it are read.
    result.catch(() => {});
    yield* events as AsyncGenerator<TrainEvent, void>;
    await result;
  }

  start(): Promise<Trained<R, M>> {
    if (this.#disposed) return Promise.reject(disposed("start the run"));
    this.#result ??= this.#start();
    return this.#result;
  }

  async #start(): Promise<Trained<R, M>> {
    const signal = this.#signal;
    const stop = () => this.stop();
    signal?.addEventListener("abort", stop);
    // It then ends at once, as one that can be resumed.
    if (signal?.aborted) stop();
    try {
      const result = await this.run.start();
      if (result.reason === "stopped") throwIfAborted(signal, "train");
      return result as Trained<R, M>;
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }

  stop(): void {
    this.run.stop();
  }

  send(command: Command): void {
    this.run.send(command);
  }

  async model(role?: string, { batch }: Pick<LoadOptions, "batch"> = {}): Promise<Model> {
    const { backend, ...around } = this.#around;
    return StoredModel.open({ backend, ...around }, await this.#weights(role), batch);
  }

  async weights(role?: string): Promise<Uint8Array> {
    const { tensors, info } = await this.#weights(role);
    return encodeWeights(tensors, info);
  }

  #weights(role: string | undefined) {
    if (this.#disposed) return Promise.reject(disposed("read the weights"));
    const { maker, samplers } = this.run.trainer.method;
    const [drawn] = Object.keys(samplers).reverse();
    const weights = this.run.weights(role ?? maker ?? drawn);
    this.#reading = Promise.allSettled([this.#reading, weights]);
    return weights;
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.run.stop();
    await this.#result?.catch(() => {});
    await this.#reading;
    await this.run.dispose();
    this.#around.forget(this);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

const disposed = (what: string) => failure("E_DISPOSED", `Cannot ${what}: the run is disposed`);
