import { invariant } from "../../errors.ts";
import type { Program } from "../../graph/program.ts";
import { ScratchPool } from "../../graph/scratchPool.ts";
import type {
  Backend,
  DeviceInfo,
  Executable,
  Footprint,
  HostArray,
  Memory,
  StateType,
} from "../../interfaces/backend.ts";
import { elementBytes, type Storage } from "../../tensor/storage.ts";

/** Sizes of states, without their numbers. */
class CountingMemory implements Memory {
  readonly sizesOnly = true;
  readonly #sizes = new Map<string, { readonly elements: number; readonly bytes: number }>();
  readonly #keeps: readonly Storage[];
  constructor(keeps: readonly Storage[]) {
    this.#keeps = keeps;
  }
  allocate(name: string, elements: number, type: StateType = "f32"): void {
    const storage = type !== "i32" && this.#keeps.includes(type) ? type : "f32";
    this.#sizes.set(name, { elements, bytes: elements * elementBytes(storage) });
  }
  has(name: string): boolean {
    return this.#sizes.has(name);
  }
  names(): string[] {
    return [...this.#sizes.keys()];
  }
  write(): void {}
  async read(name: string): Promise<HostArray> {
    return new Float32Array(this.#sizes.get(name)?.elements ?? 0);
  }
  get bytes(): number {
    return [...this.#sizes.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }
  dispose(): void {
    this.#sizes.clear();
  }
  /** Bytes by the name of the state. */
  get sizes(): ReadonlyMap<string, number> {
    return new Map([...this.#sizes].map(([name, { bytes }]) => [name, bytes]));
  }
}

/** A program that was compiled for counting. */
export interface Counted {
  readonly program: Program;
  readonly footprint: Footprint;
}

/**
 * Stands in for a device while a run is planned: it measures programs as the device would allocate them, and allocates and
 * computes nothing.
 */
export class CountingBackend implements Backend {
  readonly info: DeviceInfo;
  readonly #device: Backend;
  readonly #memories = new Set<CountingMemory>();
  readonly #live = new Set<Counted>();
  /** As on a device, programs share buffers that live only while they run. */
  readonly #scratch = new ScratchPool<object>(
    () => ({}),
    () => {},
  );

  constructor(device: Backend) {
    this.#device = device;
    this.info = device.info;
  }

  createMemory(): CountingMemory {
    const memory = new CountingMemory(this.keeps);
    this.#memories.add(memory);
    return memory;
  }

  get keeps(): readonly Storage[] {
    return this.#device.keeps ?? [];
  }
  get storesHalf(): boolean {
    return this.#device.storesHalf ?? false;
  }

  /** @throws KernelError when a tensor is larger than the device allows. */
  footprint(program: Program): Footprint {
    return this.#device.footprint?.(program) ?? { planned: program.plan.bytes, added: 0 };
  }

  async compile(program: Program): Promise<Executable> {
    const counted = { program, footprint: this.footprint(program) };
    this.#live.add(counted);
    const taken = this.#scratch.take(counted.footprint.shared ?? []);
    return {
      program,
      async run() {},
      async read(output) {
        const value = program.outputs.get(output);
        invariant(value, `${program.name} has no output "${output}"`);
        return new Float32Array(value.shape.reduce((a, b) => a * b, 1));
      },
      dispose: () => {
        if (this.#live.delete(counted)) this.#scratch.release(taken);
      },
    };
  }

  /** Programs that are compiled and not disposed. */
  get programs(): readonly Counted[] {
    return [...this.#live];
  }
  /** Bytes of states by name. */
  get states(): ReadonlyMap<string, number> {
    return new Map([...this.#memories].flatMap(({ sizes }) => [...sizes]));
  }
  get liveBytes(): number {
    const programs = [...this.#live].reduce(
      (sum, { footprint: { planned, added, shared = [] } }) =>
        shared.reduce((rest, bytes) => rest - bytes, sum + planned + added),
      0,
    );
    const states = [...this.#memories].reduce((sum, { bytes }) => sum + bytes, 0);
    return states + programs + this.#scratch.bytes;
  }

  async finish(): Promise<void> {}
  async close(): Promise<void> {}
}
