import { failure } from "../../core/errors.ts";
import type { HostArray, Memory, StateArray, StateType } from "../../core/interfaces/backend.ts";
import { asBits, asNumbers } from "../../core/io/stateValues.ts";
import { checkPart } from "../../core/tensor/checkPart.ts";
import { elementBytes, type Storage } from "../../core/tensor/storage.ts";
import type { LinearMemory } from "./linearMemory.ts";

/** Where a state lies. */
export interface StateBlock {
  readonly address: number;
  readonly elements: number;
  readonly type: StateType;
}

/** How elements of a type are kept: integers as f32 is. */
const storageIn = (type: StateType): Storage => (type === "i32" ? "f32" : type);

/** States as blocks of the backend's linear memory. */
export class WasmMemory implements Memory {
  readonly #linear: LinearMemory;
  readonly #states = new Map<string, StateBlock>();
  readonly #onDispose: (memory: WasmMemory) => void;

  constructor(linear: LinearMemory, onDispose: (memory: WasmMemory) => void) {
    this.#linear = linear;
    this.#onDispose = onDispose;
  }

  allocate(name: string, elements: number, type: StateType = "f32"): void {
    const known = this.#states.get(name);
    if (known?.elements === elements && known.type === type) return;
    if (known) this.#linear.free(known.address);
    this.#states.delete(name);
    const address = this.#linear.allocateZeros(elements * elementBytes(storageIn(type)));
    this.#states.set(name, { address, elements, type });
  }
  expect(bytes: number): void {
    this.#linear.expect(bytes);
  }
  has(name: string): boolean {
    return this.#states.has(name);
  }
  names(): string[] {
    return [...this.#states.keys()];
  }
  write(name: string, data: StateArray, first?: number): void {
    const { address, elements, type } = this.block(name);
    checkPart(name, elements, data.length, first);
    const bits = asBits(data, storageIn(type));
    const view = this.#linear.view(address, elements, type);
    const at = view.byteOffset + view.BYTES_PER_ELEMENT * (first ?? 0);
    // What was put into its place is there.
    if (bits.buffer !== view.buffer || bits.byteOffset !== at) view.set(bits, first);
  }
  /** Memory that is not shared takes what was read away with it when it grows meanwhile. */
  place(name: string, first: number, elements: number): Uint8Array | undefined {
    if (!this.#linear.shared) return undefined;
    const { address, type } = this.block(name);
    const bytes = elementBytes(storageIn(type));
    return new Uint8Array(this.#linear.memory.buffer, address + bytes * first, bytes * elements);
  }
  async read(name: string): Promise<HostArray> {
    const { address, elements, type } = this.block(name);
    const view = this.#linear.view(address, elements, type);
    return view instanceof Uint16Array ? asNumbers(view, storageIn(type)) : view.slice();
  }
  /** Where a state lies now. */
  block(name: string): StateBlock {
    const block = this.#states.get(name);
    if (!block)
      throw failure("E_SHAPE", `Cannot find state "${name}": the memory holds ${this.names().join(", ") || "none"}`);
    return block;
  }
  get bytes(): number {
    return [...this.#states.values()].reduce(
      (sum, { elements, type }) => sum + elements * elementBytes(storageIn(type)),
      0,
    );
  }
  dispose(): void {
    for (const { address } of this.#states.values()) this.#linear.free(address);
    this.#states.clear();
    this.#onDispose(this);
  }
}
