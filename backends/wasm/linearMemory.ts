import { failure } from "../../core/errors.ts";
import type { HostArray, StateArray, StateType } from "../../core/interfaces/backend.ts";
import type { DType } from "../../core/tensor/tensor.ts";
import { type AddressType, MAX_PAGES } from "./emit/module.ts";

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

/** What a linear memory may be. */
export interface LinearOptions {
  readonly shared: boolean;
  /** Bytes that it may have, 4 GiB by default. To have more it becomes one of 64-bit addresses when it needs them. */
  readonly most?: number;
  /** How to get more memory, for error messages. */
  readonly hint?: string;
  /** Address of the first block. For tests. */
  readonly first?: number;
}

/** The one linear memory of a backend, and what is free in it. Addresses are bytes. */
export class LinearMemory {
  readonly shared: boolean;
  readonly hint: string | undefined;
  /** Free space, by address; no two gaps touch. */
  #gaps: Gap[] = [];
  readonly #first: number;
  #end: number;
  #memory: WebAssembly.Memory;
  #pages: number;
  #addresses: AddressType = "i32";
  readonly #most: number;
  readonly #sizes = new Map<number, number>();
  #live = 0;
  /** Where the memory begins that no block has ever had. */
  #used: number;

  constructor({ shared, most = MAX_PAGES.i32 * PAGE, hint, first = FIRST }: LinearOptions) {
    this.shared = shared;
    this.#most = Math.floor(most / PAGE);
    this.hint = hint;
    this.#first = first;
    this.#end = first;
    this.#used = first;
    [this.#memory, this.#pages] = reserve(shared, "i32", Math.min(MAX_PAGES.i32, this.#most));
  }

  /** The memory as it is now: another one, with the same blocks at the same addresses, once it has become wider. */
  get memory(): WebAssembly.Memory {
    return this.#memory;
  }
  /** The type of its addresses: 64-bit ones are slower, so it has them only where a block needs them. */
  get addresses(): AddressType {
    return this.#addresses;
  }

  /** Bytes of all blocks. */
  get liveBytes(): number {
    return this.#live;
  }

  /** Bytes that all blocks together can have. */
  get capacity(): number {
    return this.#limit - this.#first - MARGIN;
  }

  /** Where the memory ends, or could end. */
  get #limit(): number {
    return (this.#mayWiden ? this.#most : this.#pages) * PAGE;
  }

  get #mayWiden(): boolean {
    return this.#addresses === "i32" && this.#most > MAX_PAGES.i32;
  }

  /** Address of a new block of zeros. Memory that was never used has them already, and takes none of the machine's until it is. */
  allocateZeros(bytes: number): number {
    const used = this.#used;
    const address = this.allocate(bytes);
    const dirty = Math.min(blockSize(bytes), used - address);
    if (dirty > 0) new Uint8Array(this.#memory.buffer, address, dirty).fill(0);
    return address;
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
    this.#used = Math.max(this.#used, address + size);
    return address;
  }

  /**
   * Prepares for so many bytes more: a memory that has to become wider has the least to move now, and growing once is cheaper than
   * growing often. What is not used yet takes none of the machine's memory.
   */
  expect(bytes: number): void {
    const last = this.#end + bytes + MARGIN;
    if (last > this.#limit) return;
    if (last > this.#pages * PAGE && this.#mayWiden) this.#widen();
    if (last > this.#pages * PAGE) return;
    try {
      grow(this.#memory, last, this.#addresses);
    } catch {
      // Perhaps less will do: who needs a block of it is told that there is no room.
    }
  }

  #reserve(end: number, asked: number): void {
    const last = end + MARGIN;
    let cause: unknown;
    try {
      this.expect(end - this.#end);
      if (last <= this.#pages * PAGE) {
        grow(this.#memory, last, this.#addresses);
        return;
      }
    } catch (error) {
      cause = error;
    }
    throw this.#refusal(asked, cause);
  }

  #refusal(asked: number, cause: unknown): Error {
    const end = megabytes(this.#limit);
    return failure(
      "E_DEVICE_LIMIT",
      `Cannot allocate ${megabytes(asked)}: ${megabytes(this.#live)} are in use, and the memory of WebAssembly ends at ${end}`,
      { fix: this.hint && `use a smaller batch or network; or ${this.hint}`, cause },
    );
  }

  /** Moves all blocks to a memory of 64-bit addresses; they keep theirs. */
  #widen(): void {
    const [wider, pages] = reserve(this.shared, "i64", this.#most);
    grow(wider, this.#end + MARGIN, "i64");
    for (const [address, size] of this.#sizes)
      new Uint8Array(wider.buffer, address, size).set(new Uint8Array(this.#memory.buffer, address, size));
    [this.#memory, this.#pages, this.#addresses] = [wider, pages, "i64"];
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
  view(address: number, elements: number, type?: DType): HostArray;
  view(address: number, elements: number, type?: StateType): StateArray;
  view(address: number, elements: number, type: StateType = "f32"): StateArray {
    const { buffer } = this.#memory;
    if (type === "f32") return new Float32Array(buffer, address, elements);
    return type === "i32" ? new Int32Array(buffer, address, elements) : new Uint16Array(buffer, address, elements);
  }
}

/** The JavaScript interface of a memory of 64-bit addresses, which counts in bigints. */
interface WideMemory {
  new (descriptor: { initial: bigint; maximum: bigint; shared: boolean; address: "i64" }): WebAssembly.Memory;
}

/** A memory that can grow to `pages`, or to less where the system has no address space for so much. */
function reserve(shared: boolean, address: AddressType, pages: number): [WebAssembly.Memory, number] {
  try {
    const Wide = WebAssembly.Memory as unknown as WideMemory;
    const memory =
      address === "i64"
        ? new Wide({ initial: 1n, maximum: BigInt(pages), shared, address })
        : new WebAssembly.Memory({ initial: 1, maximum: pages, shared });
    return [memory, pages];
  } catch (cause) {
    if (pages > 1024) return reserve(shared, address, Math.floor(pages / 2));
    throw failure("E_DEVICE_LIMIT", "Cannot make a memory for WebAssembly: the system has no address space for it", {
      cause,
    });
  }
}

/** Makes a memory have at least so many bytes. */
function grow(memory: WebAssembly.Memory, bytes: number, address: AddressType): void {
  const missing = Math.ceil((bytes - memory.buffer.byteLength) / PAGE);
  if (missing <= 0) return;
  if (address === "i64") (memory as unknown as { grow(pages: bigint): bigint }).grow(BigInt(missing));
  else memory.grow(missing);
}

/** Bytes that a block of `bytes` takes. */
export const blockSize = (bytes: number): number => Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
