import { mapMode } from "./adapter/usage.ts";
import type { Buffers } from "./buffers.ts";
import type { Pace } from "./pace.ts";

/** Staging buffers up to this size are kept for the next read. */
const KEPT_BYTES = 1 << 16;
const SMALLEST = 256;
/** Buffers of a size, made when the first is needed: more reads than this are never under way in a run. */
const RING = 8;

/**
 * Copies of device buffers on their way to the host. The copy is submitted at once, so it holds what the buffer holds at
 * this point of the queue, whatever is submitted before the host looks at it. Small staging buffers go round in a ring of fixed
 * length, so that what a run holds does not grow with the most reads that were ever under way; one beyond the ring, or a large
 * one, lives for its read.
 */
export class Readback {
  readonly #device: GPUDevice;
  readonly #buffers: Buffers;
  readonly #pace: Pace | undefined;
  readonly #free = new Map<number, GPUBuffer[]>();

  /** `pace`: how to wait where an open promise would cost a core. */
  constructor(device: GPUDevice, buffers: Buffers, pace?: Pace) {
    this.#pace = pace;
    this.#device = device;
    this.#buffers = buffers;
  }

  /** The first `bytes` of a buffer, a multiple of 4, as they are now on the device's time line. */
  async read(label: string, source: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    if (bytes === 0) return new ArrayBuffer(0);
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const ring = size <= KEPT_BYTES ? this.#ring(size) : [];
    const kept = ring.pop();
    const staging = kept ?? this.#buffers.create(`staging/${label}`, bytes, "staging");
    const encoder = this.#device.createCommandEncoder({ label: `read ${label}` });
    encoder.copyBufferToBuffer(source, 0, staging, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    let returned = false;
    try {
      await (this.#pace?.mapped(staging, bytes) ?? staging.mapAsync(mapMode.READ, 0, bytes));
      const copy = staging.getMappedRange(0, bytes).slice(0);
      staging.unmap();
      returned = kept !== undefined;
      return copy;
    } finally {
      if (returned) ring.push(staging);
      else this.#buffers.destroy(staging);
    }
  }

  /** The buffers of a size that are free. */
  #ring(size: number): GPUBuffer[] {
    const known = this.#free.get(size);
    if (known) return known;
    const made = Array.from({ length: RING }, (_, i) => this.#buffers.create(`staging/${size}.${i}`, size, "staging"));
    this.#free.set(size, made);
    return made;
  }
}
