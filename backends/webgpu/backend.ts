import { invariant } from "../../core/errors.ts";
import type { Program } from "../../core/graph/mod.ts";
import type { Backend, DeviceInfo, Memory } from "../../core/interfaces/backend.ts";
import { type OpenOptions, openDevice } from "./adapter/open.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import { makeExecutable, type WebGpuExecutable } from "./executable.ts";
import type { Lowering } from "./kernel.ts";
import { KernelLibrary } from "./kernelSource.ts";
import { lowerings } from "./kernels/mod.ts";
import { checkLimits } from "./limits.ts";
import { lower } from "./lower.ts";
import { WebGpuMemory } from "./memory.ts";
import { Session } from "./session.ts";
import { checkForced, type ForcedVariants } from "./variants.ts";

/** How to open the backend, and what to change for tests and tuning. */
export interface WebGpuOptions extends OpenOptions {
  /** Kernel variants by op, instead of those that suit the device best: `{ matmul: "tile4x4" }`. */
  readonly variants?: ForcedVariants;
  /** Fill scratch and output buffers with NaN before each run. Default: false. */
  readonly debug?: boolean;
  /** More kernels by name, or others in place of those of wgsl/. */
  readonly kernels?: Readonly<Record<string, string>>;
  /** More lowerings, preferred to the backend's own. */
  readonly lowerings?: readonly Lowering[];
  /** Smaller limits than the device's own, to try out what a lesser device does. */
  readonly traits?: Partial<DeviceTraits>;
}

/** Runs programs on a GPU, or on a software adapter, through WebGPU. */
export class WebGpuBackend implements Backend {
  readonly info: DeviceInfo;
  readonly traits: DeviceTraits;
  readonly #session: Session;
  readonly #options: WebGpuOptions;
  readonly #library: KernelLibrary;
  readonly #lowerings: readonly Lowering[];
  readonly #memories = new Set<WebGpuMemory>();
  readonly #executables = new Set<WebGpuExecutable>();

  /** Opens the best adapter that fits the options. @throws KernelError E_NO_ADAPTER */
  static async open(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
    const all = [...(options.lowerings ?? []), ...lowerings];
    checkForced(all, options.variants ?? {});
    let session: Session | undefined;
    const opened = await openDevice({
      ...options,
      onLost(error) {
        session?.fail(error);
        options.onLost?.(error);
      },
    });
    session = new Session({ ...opened, traits: { ...opened.traits, ...options.traits } });
    return new WebGpuBackend(session, options, all);
  }

  private constructor(session: Session, options: WebGpuOptions, all: readonly Lowering[]) {
    this.#session = session;
    this.#options = options;
    this.#library = new KernelLibrary(options.kernels);
    this.#lowerings = all;
    this.traits = session.traits;
    const { name, software } = session.traits;
    this.info = { backend: "webgpu", name, software };
  }

  /** The device itself, for programs that draw or compute with it beside us. It is closed with the backend. */
  get device(): GPUDevice {
    return this.#session.device;
  }

  createMemory(): WebGpuMemory {
    this.#session.check();
    const memory = new WebGpuMemory(this.#session, () => this.#memories.delete(memory));
    this.#memories.add(memory);
    return memory;
  }

  async compile(program: Program, memory: Memory): Promise<WebGpuExecutable> {
    this.#session.check();
    invariant(memory instanceof WebGpuMemory, "a memory of another backend");
    const list = lower(program, {
      traits: this.traits,
      library: this.#library,
      lowerings: this.#lowerings,
      variants: this.#options.variants,
    });
    checkLimits(program, list, this.traits);
    const debug = this.#options.debug ?? false;
    const forget = () => this.#executables.delete(executable);
    const executable = await makeExecutable(this.#session, program, list, memory, {
      debug,
      forget,
    });
    this.#executables.add(executable);
    return executable;
  }

  finish(): Promise<void> {
    return this.#session.finish();
  }

  get liveBytes(): number {
    return this.#session.buffers.liveBytes;
  }

  /** Pipelines compiled so far. */
  get pipelines(): number {
    return this.#session.pipelines.count;
  }

  async close(): Promise<void> {
    for (const executable of [...this.#executables]) executable.dispose();
    for (const memory of [...this.#memories]) memory.dispose();
    await this.#session.close();
  }
}
