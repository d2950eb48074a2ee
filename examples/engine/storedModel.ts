/// <reference lib="esnext.disposable" preserve="true" />
import { failure } from "../../core/errors.ts";
import type { Memory } from "../../core/interfaces/mod.ts";
import type { Setting } from "../../core/plugin/mod.ts";
import type { Judgement } from "../../core/train/sampling/evaluation.ts";
import { type Drawn, SampleDrawer } from "../../core/train/sampling/sampleDrawer.ts";
import { throwIfAborted, unlessAborted } from "./abort.ts";
import type { Around } from "./around.ts";
import type { EvaluateRequest } from "./evaluate.ts";
import { toldScale } from "./guidance.ts";
import { Line } from "./line.ts";
import type { Model } from "./model.ts";
import { picturesOf } from "./pictures.ts";
import { checkRequest, classNames, conditionOf, type Sampled, type SampleRequest } from "./sampleRequest.ts";
import { batchOf, checkLevels, placeRole, type StoredWeights, storedPlugins } from "./storedWeights.ts";

/** Ways of drawing that stay compiled: a service that is asked for many counts or scales must not grow. */
const MOST_DRAWERS = 8;

/** One way of drawing, compiled. */
interface Way {
  readonly drawer: SampleDrawer;
  dispose(): Promise<void>;
}

/** Weights that a run has stored, on a device. */
export class StoredModel implements Model {
  readonly role: string;
  readonly shape: readonly number[];
  readonly classes?: readonly string[];
  readonly #around: Around;
  readonly #info: StoredWeights["info"];
  readonly #memory: Memory;
  readonly #batch: number | undefined;
  /** The one that was used last at the end. */
  readonly #ways = new Map<string, Way>();
  readonly #line = new Line();
  /** Resolves when it is disposed, for calls that wait. */
  readonly #gone: Promise<void>;
  #tellWaiting = () => {};
  #computing: Promise<unknown> = Promise.resolve();
  #disposed = false;

  private constructor(around: Around, info: StoredWeights["info"], memory: Memory, batch: number | undefined) {
    this.#around = around;
    this.#info = info;
    this.#memory = memory;
    this.#batch = batch;
    this.#gone = new Promise((resolve) => {
      this.#tellWaiting = resolve;
    });
    this.role = info.role;
    this.shape = info.data.sample;
    this.classes = classNames(info);
  }

  /**
   * Puts the weights onto the device; what draws is compiled when it is asked for.
   * @param batch samples that are computed at a time, instead of as many as are asked for
   * @throws E_CHECKPOINT for weights of another network, E_MISSING_PLUGIN
   */
  static async open(around: Around, { info, tensors }: StoredWeights, batch?: number): Promise<StoredModel> {
    const memory = around.backend.createMemory();
    try {
      const plugins = storedPlugins(info, info.config.sampler?.use ?? "heun", [], around.registry);
      const { player, container } = placeRole(around.backend, memory, plugins, info, true);
      player.load(tensors);
      await container.dispose();
      return new StoredModel(around, info, memory, batch);
    } catch (error) {
      memory.dispose();
      throw error;
    }
  }

  async sample(request: SampleRequest = {}): Promise<Sampled> {
    return unlessAborted(request.signal, "sample", async () => {
      const asked = this.#asked(request);
      const end = await this.#begin(request.signal);
      try {
        const { drawer } = await this.#compute(() => this.#wayOf(request, asked.count));
        return sampled(await this.#compute(() => drawer.draw(asked)), asked.seed);
      } finally {
        end();
      }
    });
  }

  async *portions(request: SampleRequest = {}): AsyncGenerator<Sampled, void> {
    const { signal } = request;
    throwIfAborted(signal, "sample");
    const asked = this.#asked(request);
    const end = await this.#begin(signal);
    try {
      const { drawer } = await this.#compute(() => this.#wayOf(request, asked.count));
      const batches = drawer.batches(asked);
      for (;;) {
        const { done, value } = await this.#compute(() => batches.next());
        if (done) return;
        yield sampled(value, asked.seed);
      }
    } finally {
      end();
    }
  }

  async evaluate(request: EvaluateRequest = {}): Promise<Judgement> {
    const { evaluateModel } = await import("./evaluate.ts");
    return evaluateModel(this, request, this.#around, this.#info.config);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#tellWaiting();
    // Not for the turn: whoever has it may read portions, and never take the next.
    await this.#computing;
    for (const way of this.#ways.values()) await way.dispose();
    this.#ways.clear();
    this.#memory.dispose();
    this.#around.forget(this);
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** The turn of a call. */
  async #begin(signal: AbortSignal | undefined): Promise<() => void> {
    this.#refuseDisposed();
    const turn = this.#line.turn(signal, "sample");
    await Promise.race([turn, this.#gone]);
    if (this.#disposed)
      void turn.then(
        (end) => end(),
        () => {},
      );
    this.#refuseDisposed();
    return turn;
  }

  /** Work on the device, which is not disposed before it is done. */
  #compute<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseDisposed();
    // Begun later, since a listener of the work may dispose the model at once.
    const computed = Promise.resolve().then(work);
    this.#computing = computed.catch(() => {});
    return computed;
  }

  #refuseDisposed(): void {
    if (this.#disposed) throw failure("E_DISPOSED", `Cannot sample from the ${this.role}: it is disposed`);
  }

  /** A request, checked, as a drawer takes it. */
  #asked(request: SampleRequest) {
    const untold = "the model is told no text";
    checkRequest(request, { prompt: untold, negative: untold, size: "its samples have one size" });
    const { count = 1, seed = 0, signal, onProgress } = request;
    const pace = async (done: number, total: number) => {
      throwIfAborted(signal, "sample");
      onProgress?.(done, total);
    };
    return { count, seed, condition: conditionOf(request, count, this.#info), pace };
  }

  async #wayOf({ sampler, steps, guidance }: SampleRequest, count: number): Promise<Way> {
    const batch = this.#batch ?? batchOf(this.#info, count);
    const key = JSON.stringify([sampler, steps, guidance, batch]);
    const known = this.#ways.get(key);
    const way = known ?? (await this.#compile({ sampler, steps, guidance }, batch));
    this.#ways.delete(key);
    this.#ways.set(key, way);
    const [[oldest, other]] = this.#ways;
    if (this.#ways.size > MOST_DRAWERS) {
      this.#ways.delete(oldest);
      await other.dispose();
    }
    return way;
  }

  async #compile({ sampler, steps, guidance }: SampleRequest, batch: number): Promise<Way> {
    const { backend, registry } = this.#around;
    const info = toldScale("sample", this.#info, guidance);
    const settings: Setting[] = steps === undefined ? [] : [["steps", String(steps)]];
    checkLevels(info, settings, sampler);
    const plugins = storedPlugins(info, sampler ?? info.config.sampler?.use ?? "heun", settings, registry);
    const placed = placeRole(backend, this.#memory, plugins, info, sampler === undefined);
    const { container, player } = placed;
    try {
      const drawer = await SampleDrawer.create(backend, this.#memory, player, placed.sampler, info.data, batch);
      return {
        drawer,
        async dispose() {
          drawer.dispose();
          await container.dispose();
        },
      };
    } catch (error) {
      await container.dispose();
      throw error;
    }
  }
}

function sampled({ shape, x, condition, nfe }: Drawn, seed: number): Sampled {
  const labels = condition.label instanceof Int32Array ? { labels: condition.label } : {};
  return { shape, x, ...labels, condition, seed, nfe, pictures: () => picturesOf(x, shape) };
}
