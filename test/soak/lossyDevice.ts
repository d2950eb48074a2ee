/** Devices that can be lost at a chosen moment, without any means in the product. */
import workers from "node:worker_threads";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { WasmBackend } from "../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../backends/webgpu/mod.ts";
import { failure } from "../../core/errors.ts";
import type { Backend, Executable, Memory } from "../../core/interfaces/backend.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import type { EventBus } from "../../core/train/mod.ts";

/** What a run is about when it asks something of its device. */
export const MOMENTS = ["compile", "upload", "update", "readback", "checkpoint", "sampling", "judging"] as const;
export type Moment = (typeof MOMENTS)[number];

/** A device, and how to lose it; the promise settles when it is lost. */
interface Losable {
  readonly backend: Backend;
  readonly lose: () => unknown;
}

/** Opens a device by the name that --device has. */
async function openLosable(device: string): Promise<Losable> {
  if (device === "reference") return losableReference();
  if (device === "wasm") return losableWasm();
  const backend = await WebGpuBackend.open({ prefer: device, tune: "off" });
  return { backend, lose: () => backend.device.destroy() };
}

/** The oracle cannot be lost by itself: its calls fail from then on. */
function losableReference(): Losable {
  const backend = new ReferenceBackend();
  let lost = false;
  watch(backend, () => {
    if (lost) throw failure("E_DEVICE_LOST", "Cannot go on with reference: the device was lost, on purpose");
  });
  return { backend, lose: () => (lost = true) };
}

/** Loses a thread; no call is under way when this thread gets to do so. */
async function losableWasm(): Promise<Losable> {
  const { Worker } = workers;
  const started: InstanceType<typeof Worker>[] = [];
  workers.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      started.push(this);
    }
  };
  try {
    const backend = await WasmBackend.open({ threads: 2 });
    return { backend, lose: () => started.at(-1)!.terminate() };
  } finally {
    workers.Worker = Worker;
  }
}

/** Calls `tell` before everything that a backend is asked to do; where that can wait, it waits for what `tell` returns. */
function watch(backend: Backend, tell: (moment: Moment) => unknown): void {
  const { compile, createMemory } = backend;
  backend.createMemory = () => {
    const memory: Memory = createMemory.call(backend);
    const { write, read } = memory;
    memory.write = (...args) => {
      tell("upload");
      write.apply(memory, args);
    };
    memory.read = async (...args) => {
      await tell("readback");
      return read.apply(memory, args);
    };
    return memory;
  };
  backend.compile = async (...args) => {
    await tell("compile");
    const executable: Executable = await compile.apply(backend, args);
    const { run, read } = executable;
    executable.run = async (...inputs) => {
      await tell("update");
      return run.apply(executable, inputs);
    };
    executable.read = (...names) => {
      // The copy has to begin at once.
      const reading = read.apply(executable, names);
      const told = Promise.resolve(tell("readback"));
      return told.then(() => reading);
    };
    return executable;
  };
}

/** When to lose the device: at the so-manieth call of a moment. */
export interface LossPlan {
  readonly moment: Moment;
  readonly call: number;
  /** Milliseconds after it. */
  readonly later: number;
}

/** A device of a run that is lost as planned, and opened anew for the run. */
export class LossyDevice {
  readonly #device: string;
  #open: Losable | undefined;
  #phase: Moment | undefined;
  #plan: LossPlan | undefined;
  #losing: unknown;
  #calls = new Map<Moment, number>();
  /** The moment of a loss that the run has not answered yet. */
  #lost: Moment | undefined;
  /** How often it was lost and opened again, by moment. */
  readonly losses = new Map<Moment, number>();
  /** Calls so far since it was opened, by moment. */
  get calls(): ReadonlyMap<Moment, number> {
    return this.#calls;
  }

  constructor(device: string) {
    this.#device = device;
  }

  /** Opens it, after closing the one before. */
  async open(plan: LossPlan | undefined): Promise<Backend> {
    await this.close();
    const lost = this.#lost;
    if (lost) this.losses.set(lost, (this.losses.get(lost) ?? 0) + 1);
    [this.#plan, this.#lost] = [undefined, undefined];
    const opened = await openLosable(this.#device);
    this.#open = opened;
    this.#phase = undefined;
    this.#losing = undefined;
    this.#calls = new Map();
    this.#plan = plan;
    watch(opened.backend, (moment) => this.#tell(this.#phase ?? moment));
    return opened.backend;
  }

  async close(): Promise<void> {
    await this.#open?.backend.close();
    this.#open = undefined;
  }

  #tell(moment: Moment): unknown {
    const call = this.#calls.get(moment) ?? 0;
    this.#calls.set(moment, call + 1);
    const { lose } = this.#open!;
    // Nothing is asked of it while it goes: a thread that is being ended might take a part of the work with it.
    if (this.#plan?.moment !== moment || this.#plan.call !== call) return this.#losing;
    const { later } = this.#plan;
    this.#plan = undefined;
    this.#lost = moment;
    const start = () => (this.#losing = lose());
    if (later === 0) return start();
    setTimeout(start, later);
    return undefined;
  }

  /** Tells sampling and judging from training. @param last the stage after whose last step samples are judged */
  follow(bus: EventBus): void {
    let [last, steps] = ["", 0];
    bus.on("run/start", ({ stages }) => {
      ({ name: last, steps } = stages.at(-1)!);
    });
    bus.on("control/received", ({ command }) => {
      if (command.type === "sample") this.#phase = "sampling";
    });
    bus.on("sample/drawn", () => {
      if (this.#phase === "sampling") this.#phase = undefined;
    });
    bus.on("step/end", ({ stage, step }) => {
      if (stage === last && step === steps - 1) this.#phase = "judging";
    });
  }

  /** Files whose checkpoints are a moment of their own. */
  watching(files: FileSystem): FileSystem {
    const write: FileSystem["write"] = async (path, content) => {
      const before = this.#phase;
      if (/[\\/]checkpoint[\\/]/.test(path)) this.#phase = "checkpoint";
      try {
        return await files.write(path, content);
      } finally {
        if (this.#phase === "checkpoint") this.#phase = before;
      }
    };
    return { ...files, write };
  }
}
