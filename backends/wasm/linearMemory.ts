import { failure } from "../../core/errors.ts";
import type { HostArray } from "../../core/interfaces/backend.ts";
import type { DType } from "../../core/tensor/tensor.ts";
import { MAX_PAGES } from "./emit/module.ts";

const PAGE = 65536;
/** The first page belongs to the thread pool and to the kernels' constant tables. */
const FIRST = PAGE;
/** Blocks start at multiples of a cache line, so that threads never share one between tensors. */
const ALIGNMENT = 64;
/** A block is never handed out closer than this to the end: kernels may read a vector past a tensor. */
const MARGIN = 64;

interface Gap {
  at: number;
  size: number;
}

/** The one linear memory of a backend, and what is free in it. Addresses are bytes. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** Free space, by address; no two gaps touch. */
  #gaps: Gap[] = [];
  #end = FIRST;
  readonly #pages: number;
  readonly #sizes = new Map<number, number>();
  #live = 0;

  constructor(shared: boolean) {
    this.shared = shared;
    [this.memory, this.#pages] = reserve(shared, MAX_PAGES);
  }

  /** Bytes of all blocks. */
  get liveBytes(): number {
    return this.#live;
  }

  /** Bytes that all blocks together can have. */
  get capacity(): number {
    return this.#pages * PAGE - FIRST - MARGIN;
  }

  /** Address of a new block of at least `bytes`, whose contents are undefined. */
  allocate(bytes: number): number {
    const size = blockSize(bytes);
    // The smallest gap that is large enough.
    let best = -1;
    this.#gaps.forEach((gap, i) => {
      if (gap.size >= size && (best < 0 || gap.size < this.#gaps[best].size)) best = i;
    });
    let address: number;
    if (best >= 0) {
      const gap = this.#gaps[best];
      address = gap.at;
      gap.at += size;
      gap.size -= size;
      if (!gap.size) this.#gaps.splice(best, 1);
    } else {
      address = this.#end;
      this.#reserve(address + size, bytes);
      this.#end = address + size;
    }
    this.#sizes.set(address, size);
    this.#live += size;
    return address;
  }

  #reserve(end: number, asked: number): void {
    const missing = Math.ceil((end + MARGIN - this.memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return;
    const refused = (cause?: unknown) =>
      failure(
        "E_DEVICE_LIMIT",
        `Cannot allocate ${megabytes(asked)}: ${megabytes(this.#live)} are in use, and the memory of WebAssembly ends at ${megabytes(this.#pages * PAGE)}`,
        { cause },
      );
    if (end + MARGIN > this.#pages * PAGE) throw refused();
    try {
      this.memory.grow(missing);
    } catch (cause) {
      throw refused(cause);
    }
  }

  free(address: number): void {
    const size = this.#sizes.get(address);
    if (size === undefined) return;
    this.#sizes.delete(address);
    this.#live -= size;
    const gaps = [...this.#gaps, { at: address, size }].sort((a, b) => a.at - b.at);
    this.#gaps = [];
    for (const gap of gaps) {
      const last = this.#gaps[this.#gaps.length - 1];
      if (last && last.at + last.size === gap.at) last.size += gap.size;
      else this.#gaps.push(gap);
    }
    const last = this.#gaps[this.#gaps.length - 1];
    if (last && last.at + last.size === this.#end) {
      this.#end = last.at;
      this.#gaps.pop();
    }
  }

  /** The elements at an address; valid until the memory grows, so not to be kept. */
  view(address: number, elements: number, dtype: DType = "f32"): HostArray {
    return dtype === "f32"
      ? new Float32Array(this.memory.buffer, address, elements)
      : new Int32Array(this.memory.buffer, address, elements);
  }
}

/** A memory that can grow to `pages`, or to less where the system has no address space for so much. */
function reserve(shared: boolean, pages: number): [WebAssembly.Memory, number] {
  try {
    return [new WebAssembly.Memory({ initial: 1, maximum: pages, shared }), pages];
  } catch (cause) {
    if (pages > 1024) return reserve(shared, pages / 2);
    throw failure("E_DEVICE_LIMIT", "Cannot start the wasm backend: there is no memory for it", {
      cause,
    });
  }
}

/** Bytes that a block of `bytes` takes. */
export const blockSize = (bytes: number): number => Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
