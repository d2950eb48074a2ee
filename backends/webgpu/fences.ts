import type { Buffers } from "./buffers.ts";
import type { Pace } from "./pace.ts";

/** Bytes of a buffer that only says that it was written. */
const BYTES = 16;
/** Made at once: more runs than this are never under way on a device with fences. */
const RING = 8;

/** A point on the device's time line. */
export interface Fence {
  readonly buffer: GPUBuffer;
}

/**
 * Points on the time line of a device that can be waited for without an open promise; see Pace. Behind each is a small
 * buffer that the device writes at that point and that can be mapped from then on.
 */
export class Fences {
  readonly #buffers: Buffers;
  readonly #pace: Pace;
  readonly #free: Fence[];

  constructor(buffers: Buffers, pace: Pace) {
    this.#buffers = buffers;
    this.#pace = pace;
    this.#free = Array.from({ length: RING }, () => this.#made());
  }

  #made(): Fence {
    return { buffer: this.#buffers.create("fence", BYTES, "staging") };
  }

  /** The end of what is encoded so far. */
  encode(encoder: GPUCommandEncoder): Fence {
    const fence = this.#free.pop() ?? this.#made();
    encoder.clearBuffer(fence.buffer, 0, BYTES);
    return fence;
  }

  /** Resolves when the device has come to it; the fence is used up. Rejects when the device is lost. */
  async reached(fence: Fence): Promise<void> {
    await this.#pace.mapped(fence.buffer, BYTES);
    fence.buffer.unmap();
    this.#free.push(fence);
  }
}
