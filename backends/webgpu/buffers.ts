import { failure } from "../../core/errors.ts";
import { bufferUsage } from "./adapter/usage.ts";

const { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } = bufferUsage;

/** What a buffer is used for. */
const usages = {
  storage: STORAGE | COPY_SRC | COPY_DST,
  uniform: UNIFORM | COPY_DST,
  staging: MAP_READ | COPY_DST,
} as const;

/** Makes and destroys all buffers of a device, and counts them. */
export class Buffers {
  readonly #device: GPUDevice;
  readonly #live = new Map<GPUBuffer, number>();
  #bytes = 0;
  #made = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Bytes of all buffers that were not destroyed. */
  get liveBytes(): number {
    return this.#bytes;
  }
  /** Buffers made so far. */
  get made(): number {
    return this.#made;
  }

  /** A zeroed buffer; the caller owns it. */
  create(label: string, bytes: number, use: keyof typeof usages): GPUBuffer {
    const buffer = this.#device.createBuffer({ label, size: bytes, usage: usages[use] });
    this.#live.set(buffer, bytes);
    this.#bytes += bytes;
    this.#made++;
    return buffer;
  }

  /**
   * Makes several buffers, or none: a device out of memory is found out here rather than in the middle of a run.
   * @param make makes them with `create`
   * @param undo destroys them
   * @throws KernelError E_DEVICE_LIMIT
   */
  async allOrNone<T>(owner: string, make: () => T, undo: (made: T) => void): Promise<T> {
    const before = this.#bytes;
    this.#device.pushErrorScope("out-of-memory");
    const made = make();
    const total = this.#bytes - before;
    const fault = await this.#device.popErrorScope();
    if (!fault) return made;
    undo(made);
    throw failure(
      "E_DEVICE_LIMIT",
      `Cannot allocate ${formatBytes(total)} for ${owner}: the device has not enough free memory`,
    );
  }

  destroy(buffer: GPUBuffer): void {
    const bytes = this.#live.get(buffer);
    if (bytes === undefined) return;
    this.#live.delete(buffer);
    this.#bytes -= bytes;
    buffer.destroy();
  }

  destroyAll(): void {
    for (const buffer of [...this.#live.keys()]) this.destroy(buffer);
  }
}

/** 134217728 reads "128 MiB". */
export function formatBytes(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Number((bytes / 1024 ** power).toPrecision(4))} ${units[power]}`;
}
