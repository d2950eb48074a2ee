import { invariant } from "../../core/errors.ts";
import type { Program } from "../../core/graph/mod.ts";
import type { Backend, DeviceInfo, Footprint, Memory } from "../../core/interfaces/backend.ts";
import { boolean, callback, checkOptions, list, object, type Rule, text } from "../../core/plugin/mod.ts";
import type { Storage } from "../../core/tensor/storage.ts";
import { memoryLeft } from "../host/limits.ts";
import { type OpenOptions, openDevice } from "./adapter/open.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import type { DispatchList } from "./dispatch.ts";
import { makeExecutable, type WebGpuExecutable } from "./executable.ts";
import { footprintOf } from "./footprint.ts";
import type { Lowering } from "./kernel.ts";
import { KernelLibrary } from "./kernelSource.ts";
import { lowerings } from "./kernels/mod.ts";
import { checkLimits } from "./limits.ts";
import { lower } from "./lower.ts";
import { WebGpuMemory } from "./memory.ts";
import { Session } from "./session.ts";
import { measuredOn } from "./tuning/signature.ts";
import { ChoiceStore } from "./tuning/store.ts";
import { checkTune, type Tune } from "./tuning/tune.ts";
import { Tuner } from "./tuning/tuner.ts";
import type { WarmUpProgress } from "./tuning/warmUp.ts";
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
  /**
   * How to choose between variants that fit. "cached" (the default) goes by what "measure" has found on this adapter, driver
   * and version of the kernels, and by the backend's own order without it; "off" always by the latter, so that results do
   * not depend on what was measured.
   */
  readonly tune?: Tune;
  /** Hears why something that only makes things faster is of no use, such as a damaged cache. */
  readonly onProblem?: (problem: string) => void;
  /** Called while kernels are compiled, which can take seconds; with 0 done at first. */
  readonly onWarmUp?: (progress: WarmUpProgress) => void;
  /** Smaller limits than the device's own, to try out what a lesser device does. */
  readonly traits?: Partial<DeviceTraits>;
}

const optionRules: Readonly<Record<keyof WebGpuOptions, Rule<unknown>>> = {
  prefer: text(),
  allowSoftware: boolean(),
  matrices: boolean(),
  onLost: callback,
  variants: object,
  debug: boolean(),
  kernels: object,
  lowerings: list(object),
  tune: text(), // one of three, which checkTune tells
  onProblem: callback,
  onWarmUp: callback,
  traits: object,
};

/** Runs programs on a GPU, or on a software adapter, through WebGPU. */
export class WebGpuBackend implements Backend {
  readonly info: DeviceInfo;
  readonly traits: DeviceTraits;
  readonly #session: Session;
  readonly #options: WebGpuOptions;
  readonly #library: KernelLibrary;
  readonly #lowerings: readonly Lowering[];
  readonly #tuner: Tuner | undefined;
  readonly #memories = new Set<WebGpuMemory>();
  readonly #executables = new Set<WebGpuExecutable>();

  /** Opens the best adapter that fits the options. @throws KernelError E_NO_ADAPTER; OptionError for a wrong option */
  static async open(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
    checkOptions("the webgpu backend", optionRules, options);
    const all = [...(options.lowerings ?? []), ...lowerings];
    checkForced(all, options.variants ?? {});
    const tune = checkTune(options.tune ?? "cached");
    let session: Session | undefined;
    const opened = await openDevice({
      ...options,
      onLost(error) {
        session?.fail(error);
        options.onLost?.(error);
      },
    });
    session = new Session({ ...opened, traits: { ...opened.traits, ...options.traits } });
    const { onProblem, kernels, traits } = options;
    // Timings under made-up traits do not hold for the adapter.
    const store =
      tune === "off"
        ? undefined
        : await ChoiceStore.open(await measuredOn(opened.traits, all, kernels), {
            onDisk: traits === undefined,
            onProblem,
          });
    return new WebGpuBackend(session, options, all, store);
  }

  private constructor(
    session: Session,
    options: WebGpuOptions,
    all: readonly Lowering[],
    store: ChoiceStore | undefined,
  ) {
    this.#session = session;
    this.#options = options;
    this.#tuner = store && this.#makeTuner(store, all);
    this.#library = new KernelLibrary(options.kernels);
    this.#lowerings = all;
    this.traits = session.traits;
    const { name, software } = session.traits;
    this.info = { backend: "webgpu", name, software };
  }

  get storesHalf(): boolean {
    return this.traits.f16;
  }

  get keeps(): readonly Storage[] {
    return this.traits.f16 ? ["f16"] : [];
  }

  get runsAhead(): number {
    return this.#session.runsAhead;
  }

  /** The device itself, for programs that draw or compute with it beside us. It is closed with the backend. */
  get device(): GPUDevice {
    return this.#session.device;
  }

  /** A software adapter computes in the memory of the machine; GPUs do not tell what they have. */
  get capacity(): number | undefined {
    const process = globalThis.process as NodeJS.Process | undefined;
    return this.info.software && process?.versions?.node ? memoryLeft(process) : undefined;
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
    await this.#tuner?.prepare(program);
    const { variants, onWarmUp: tell } = this.#options;
    const executable = await this.#make(program, memory, { variants, tell });
    this.#executables.add(executable);
    return executable;
  }

  /** Sizes on the device, before anything is allocated. @throws KernelError E_DEVICE_LIMIT */
  footprint(program: Program): Footprint {
    return footprintOf(this.#lower(program, this.#options.variants));
  }

  #lower(program: Program, variants: ForcedVariants | undefined): DispatchList {
    const list = lower(program, {
      traits: this.traits,
      library: this.#library,
      lowerings: this.#lowerings,
      variants,
      measured: (node) => this.#tuner?.chosen(node),
    });
    checkLimits(program, list, this.traits);
    return list;
  }

  async #make(
    program: Program,
    memory: WebGpuMemory,
    { variants, tell }: { variants?: ForcedVariants; tell?: WebGpuOptions["onWarmUp"] },
  ): Promise<WebGpuExecutable> {
    const list = this.#lower(program, variants);
    const executable = await makeExecutable(this.#session, program, list, memory, {
      debug: this.#options.debug ?? false,
      forget: () => this.#executables.delete(executable),
      tell,
    });
    return executable;
  }

  #makeTuner(store: ChoiceStore, all: readonly Lowering[]): Tuner {
    const session = this.#session;
    const timed = async (submit?: () => void) => {
      await session.finish();
      const start = performance.now();
      submit?.();
      await session.finish();
      return performance.now() - start;
    };
    return new Tuner({
      lowerings: all,
      traits: session.traits,
      forced: this.#options.variants,
      store,
      measures: this.#options.tune === "measure",
      tell: this.#options.onWarmUp,
      empty: () => timed(),
      trial: async (program, variants) => {
        const executable = await this.#make(program, new WebGpuMemory(session), { variants });
        return {
          time: (runs) => timed(() => executable.repeat(runs)),
          dispose: () => executable.dispose(),
        };
      },
    });
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
