import { failure } from "../../core/errors.ts";
import type { HostArray, Memory } from "../../core/interfaces/backend.ts";
import type { DType } from "../../core/tensor/tensor.ts";
import type { LinearMemory } from "./linearMemory.ts";

/** Where a state lies. */
export interface StateBlock {
  readonly address: number;
  readonly elements: number;
  readonly dtype: DType;
}

/** States as blocks of the backend's linear memory. */
export class WasmMemory implements Memory {
  readonly #linear: LinearMemory;
  readonly #states = new Map<string, StateBlock>();
  readonly #onDispose: (memory: WasmMemory) => void;

  constructor(linear: LinearMemory, onDispose: (memory: WasmMemory) => void) {
    this.#linear = linear;
    this.#onDispose = onDispose;
  }

  allocate(name: string, elements: number, dtype: DType = "f32"): void {
    const known = this.#states.get(name);
    if (known?.elements === elements && known.dtype === dtype) return;
    if (known) this.#linear.free(known.address);
    this.#states.delete(name);
    const address = this.#linear.allocate(elements * 4);
    this.#states.set(name, { address, elements, dtype });
    this.#linear.view(address, elements, dtype).fill(0);
  }
  has(name: string): boolean {
    return this.#states.has(name);
  }
  names(): string[] {
    return [...this.#states.keys()];
  }
  write(name: string, data: HostArray): void {
    const { address, elements, dtype } = this.block(name);
    if (elements !== data.length)
      throw failure("E_SHAPE", `Cannot write state "${name}": ${data.length} elements, expected ${elements}`);
    this.#linear.view(address, elements, dtype).set(data);
  }
  async read(name: string): Promise<HostArray> {
    const { address, elements, dtype } = this.block(name);
    return this.#linear.view(address, elements, dtype).slice();
  }
  /** Where a state lies now. */
  block(name: string): StateBlock {
    const block = this.#states.get(name);
    if (!block)
      throw failure("E_SHAPE", `Cannot find state "${name}": the memory holds ${this.names().join(", ") || "none"}`);
    return block;
  }
  get bytes(): number {
    return [...this.#states.values()].reduce((sum, { elements }) => sum + elements * 4, 0);
  }
  dispose(): void {
    for (const { address } of this.#states.values()) this.#linear.free(address);
    this.#states.clear();
    this.#onDispose(this);
  }
}
