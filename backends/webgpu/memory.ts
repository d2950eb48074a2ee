import { failure } from "../../core/errors.ts";
import type { HostArray, Memory } from "../../core/interfaces/backend.ts";
import type { DType } from "../../core/tensor/tensor.ts";
import { formatBytes } from "./buffers.ts";
import { byteSize } from "./dispatch.ts";
import { toHost, toWords } from "./hostArray.ts";
import type { Session } from "./session.ts";

/** A state on the device. */
interface State {
  readonly buffer: GPUBuffer;
  readonly elements: number;
  readonly dtype: DType;
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

  allocate(name: string, elements: number, dtype: DType = "f32"): void {
    this.#session.check();
    const known = this.#states.get(name);
    if (known?.elements === elements && known.dtype === dtype) return;
    const { maxBuffer, name: device } = this.#session.traits;
    if (byteSize(elements) > maxBuffer)
      throw failure(
        "E_DEVICE_LIMIT",
        `Cannot allocate state "${name}": it needs ${formatBytes(elements * 4)}, ${device} allows ${formatBytes(maxBuffer)} a buffer`,
      );
    if (known) this.#session.buffers.destroy(known.buffer);
    const buffer = this.#session.buffers.create(`state/${name}`, byteSize(elements), "storage");
    this.#states.set(name, { buffer, elements, dtype });
    this.#generation++;
  }

  has(name: string): boolean {
    return this.#states.has(name);
  }

  names(): string[] {
    return [...this.#states.keys()];
  }

  write(name: string, data: HostArray): void {
    this.#session.check();
    const { buffer, elements, dtype } = this.state(name);
    if (data.length !== elements)
      throw failure("E_SHAPE", `Cannot write state "${name}": ${data.length} elements, expected ${elements}`);
    this.#session.write(buffer, toWords(data, dtype));
  }

  async read(name: string): Promise<HostArray> {
    const { buffer, elements, dtype } = this.state(name);
    return toHost(await this.#session.read(name, buffer, elements * 4), dtype);
  }

  /** @throws ShapeError when no state has this name. */
  state(name: string): State {
    const state = this.#states.get(name);
    if (!state)
      throw failure("E_SHAPE", `Cannot find state "${name}": the memory holds ${this.names().join(", ") || "none"}`);
    return state;
  }

  get bytes(): number {
    return [...this.#states.values()].reduce((sum, { elements }) => sum + elements * 4, 0);
  }

  dispose(): void {
    for (const { buffer } of this.#states.values()) this.#session.buffers.destroy(buffer);
    this.#states.clear();
    this.#generation++;
    this.#forget();
  }
}
