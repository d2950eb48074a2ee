import { failure } from "../../core/errors.ts";
import type { HostArray, Memory, StateArray, StateType } from "../../core/interfaces/backend.ts";
import { asBits, asNumbers } from "../../core/io/stateValues.ts";
import { checkPart } from "../../core/tensor/checkPart.ts";
import { elementBytes, type Storage } from "../../core/tensor/storage.ts";
import type { DType } from "../../core/tensor/tensor.ts";
import { formatBytes } from "./buffers.ts";
import { byteSize } from "./dispatch.ts";
import { keptOn } from "./halfStorage.ts";
import { toHost, toWords, wholeWords } from "./hostArray.ts";
import type { Session } from "./session.ts";

/** A state on the device. */
interface State {
  readonly buffer: GPUBuffer;
  readonly elements: number;
  readonly dtype: DType;
  /** What its numbers are rounded to when they are written. */
  readonly storage: Storage;
  /** What they are kept in on this device. */
  readonly kept: Storage;
}

/** States as GPU buffers, one each. */
export class WebGpuMemory implements Memory {
  readonly #session: Session;
  readonly #states = new Map<string, State>();
  readonly #forget: () => void;
  #generation = 0;

  /** `forget` is called when the memory is disposed. */
  constructor(session: Session, forget: () => void = () => {}) {
    this.#session = session;
    this.#forget = forget;
  }

  /** Changes when a state moves to another buffer, so that programs know when to rebuild their bindings. */
  get generation(): number {
    return this.#generation;
  }

  allocate(name: string, elements: number, type: StateType = "f32"): void {
    this.#session.check();
    const known = this.#states.get(name);
    const [dtype, storage]: [DType, Storage] = type === "i32" ? [type, "f32"] : ["f32", type];
    if (known?.elements === elements && known.dtype === dtype && known.storage === storage) return;
    const { maxBuffer, name: device } = this.#session.traits;
    const kept = keptOn(this.#session.traits, storage);
    if (byteSize(elements, kept) > maxBuffer)
      throw failure(
        "E_DEVICE_LIMIT",
        `Cannot allocate state "${name}": it needs ${formatBytes(elements * elementBytes(kept))}, ${device} allows ${formatBytes(maxBuffer)} a buffer`,
      );
    if (known) this.#session.buffers.destroy(known.buffer);
    const buffer = this.#session.buffers.create(`state/${name}`, byteSize(elements, kept), "storage");
    this.#states.set(name, { buffer, elements, dtype, storage, kept });
    this.#generation++;
  }

  has(name: string): boolean {
    return this.#states.has(name);
  }

  names(): string[] {
    return [...this.#states.keys()];
  }

  write(name: string, data: StateArray, first?: number): void {
    this.#session.check();
    const { buffer, elements, dtype, storage, kept } = this.state(name);
    checkPart(name, elements, data.length, first);
    const words = kept === "f32" ? toWords(asNumbers(data, storage), dtype) : wholeWords(asBits(data, storage));
    this.#session.write(buffer, words, elementBytes(kept) * (first ?? 0));
  }

  async read(name: string): Promise<HostArray> {
    const { buffer, elements, dtype, storage, kept } = this.state(name);
    if (kept === "f32") return toHost(await this.#session.read(name, buffer, elements * 4), dtype);
    const bits = new Uint16Array(await this.#session.read(name, buffer, 4 * Math.ceil(elements / 2)));
    return asNumbers(bits.subarray(0, elements), storage);
  }

  /** @throws ShapeError when no state has this name. */
  state(name: string): State {
    const state = this.#states.get(name);
    if (!state)
      throw failure("E_SHAPE", `Cannot find state "${name}": the memory holds ${this.names().join(", ") || "none"}`);
    return state;
  }

  get bytes(): number {
    return [...this.#states.values()].reduce((sum, { elements, kept }) => sum + elements * elementBytes(kept), 0);
  }

  dispose(): void {
    for (const { buffer } of this.#states.values()) this.#session.buffers.destroy(buffer);
    this.#states.clear();
    this.#generation++;
    this.#forget();
  }
}
