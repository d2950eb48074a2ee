import { failure, type OnestepError } from "../../core/errors.ts";
import { ScratchPool } from "../../core/graph/mod.ts";
import type { OpenedDevice } from "./adapter/open.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import { Buffers } from "./buffers.ts";
import { Fences } from "./fences.ts";
import { Pace } from "./pace.ts";
import { Pipelines } from "./pipelines.ts";
import { Readback } from "./readback.ts";
import { WarmUp } from "./tuning/warmUp.ts";

/** Runs that may be submitted and not yet done: enough to keep a device busy, few enough to stop soon. */
const RUNS_IN_FLIGHT = 3;
/** On a software adapter: one runs while the next is prepared. */
const SOFTWARE_RUNS_IN_FLIGHT = 1;

/** An open device with what all programs on it share, and its state of health. */
export class Session {
  readonly device: GPUDevice;
  readonly traits: DeviceTraits;
  readonly buffers: Buffers;
  /** What only lives while a program runs; all programs share it. */
  readonly scratch: ScratchPool<GPUBuffer>;
  readonly pipelines: Pipelines;
  readonly warmUp: WarmUp;
  readonly #readback: Readback;
  readonly #opened: OpenedDevice;
  /** Where waiting must not take the time of a core; undefined where the platform's own promises do. */
  readonly #fences: Fences | undefined;
  /** A wait for each run under way, the oldest first. */
  readonly #inFlight: (() => Promise<unknown>)[] = [];
  #fault: OnestepError | undefined;
  #closed = false;

  constructor(opened: OpenedDevice) {
    this.#opened = opened;
    this.device = opened.device;
    this.traits = opened.traits;
    this.buffers = new Buffers(opened.device);
    this.scratch = new ScratchPool(
      (bytes) => this.buffers.create("scratch", bytes, "storage"),
      (buffer) => this.buffers.destroy(buffer),
    );
    this.pipelines = new Pipelines(opened.device);
    this.warmUp = new WarmUp(this);
    const pace = opened.traits.software && opened.traits.via === "dawn" ? new Pace() : undefined;
    this.#fences = pace && new Fences(this.buffers, pace);
    this.#readback = new Readback(opened.device, this.buffers, pace);
    opened.device.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      // Node has no global to compare the class with.
      const full = error.constructor.name === "GPUOutOfMemoryError";
      const text = `Cannot go on with ${opened.traits.name}: ${error.message}`;
      this.fail(failure(full ? "E_DEVICE_LIMIT" : "E_KERNEL", text));
    });
  }

  /** Notes what went wrong outside a call; the next call throws it. The first fault is the cause of all others. */
  fail(fault: OnestepError): void {
    this.#fault ??= fault;
  }

  /** @throws when the device is lost, closed, or has refused a command. */
  check(): void {
    if (this.#closed) throw failure("E_DISPOSED", `Cannot use ${this.traits.name}: the backend was closed`);
    if (this.#fault) throw this.#fault;
  }

  /** Replaces the beginning of a buffer, in the order of the queue. */
  /** Writes from byte `at` on, a multiple of 4. */
  write(buffer: GPUBuffer, data: ArrayBufferView | ArrayBufferLike, at = 0): void {
    // Deno 2.9 panics on an empty write.
    if (data.byteLength > 0) this.device.queue.writeBuffer(buffer, at, data);
  }

  /** The first `bytes` of a buffer, as of now on the device's time line. */
  async read(label: string, source: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    this.check();
    try {
      return await this.#readback.read(label, source, bytes);
    } catch (error) {
      // The news of a loss can come just after the map that it aborts.
      await Promise.race([this.device.lost, new Promise((resolve) => setTimeout(resolve, 50))]);
      this.check();
      throw error;
    }
  }

  /** Submits what was encoded, all of a run at once. `finish` waits for it. */
  submit(encoder: GPUCommandEncoder): void {
    const fence = this.#fences?.encode(encoder);
    this.device.queue.submit([encoder.finish()]);
    if (fence) {
      // The wait ends with the device too, and then `check` tells.
      this.#inFlight.push(() => this.#fences!.reached(fence).catch(() => {}));
      return;
    }
    // Nobody may be awaiting this promise; an unhandled rejection would end the process.
    const done = this.device.queue.onSubmittedWorkDone().catch(() => {});
    this.#inFlight.push(() => done);
  }

  /** Runs that may be under way when the next is started. */
  get runsAhead(): number {
    return this.traits.software ? SOFTWARE_RUNS_IN_FLIGHT : RUNS_IN_FLIGHT;
  }

  /** Called after each run; waits while too many are under way. */
  async throttle(): Promise<void> {
    while (this.#inFlight.length > this.runsAhead) await this.#inFlight.shift()!();
  }

  /** Resolves when all submitted runs are done. */
  async finish(): Promise<void> {
    this.check();
    for (const wait of this.#inFlight.splice(0)) await wait();
    this.check();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.buffers.destroyAll();
    await this.#opened.close();
  }
}
