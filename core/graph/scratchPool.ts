/** A buffer that programs use in turn. */
interface Entry<B> {
  readonly buffer: B;
  readonly bytes: number;
  /** Programs that have it. */
  users: number;
}

/**
 * Memory for what lives only while a program runs. Programs of one device run one after another, so they may have the
 * same buffers: a device needs the scratch memory of its largest program, and not that of all. Programs that are made in
 * falling size share the most.
 */
export class ScratchPool<B> {
  readonly #entries: Entry<B>[] = [];
  readonly #make: (bytes: number) => B;
  readonly #free: (buffer: B) => void;

  constructor(make: (bytes: number) => B, free: (buffer: B) => void) {
    this.#make = make;
    this.#free = free;
  }

  /** Bytes of all buffers that some program has. */
  get bytes(): number {
    return this.#entries.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * A buffer for each size, no two the same: the smallest that is large enough, or a new one. In the order of `sizes`.
   * Where one can't be made, those made before are freed, and what the maker throws is thrown.
   */
  take(sizes: readonly number[]): B[] {
    try {
      return this.#take(sizes);
    } catch (error) {
      for (const { buffer, users } of [...this.#entries]) if (users === 0) this.#drop(buffer);
      throw error;
    }
  }

  #take(sizes: readonly number[]): B[] {
    const taken = new Map<number, Entry<B>>();
    const free = [...this.#entries].sort((a, b) => a.bytes - b.bytes);
    const largestFirst = [...sizes.keys()].sort((a, b) => sizes[b] - sizes[a]);
    for (const index of largestFirst) {
      const at = free.findIndex(({ bytes }) => bytes >= sizes[index]);
      taken.set(index, at < 0 ? this.#add(sizes[index]) : free.splice(at, 1)[0]);
    }
    return sizes.map((_, index) => {
      const entry = taken.get(index)!;
      entry.users++;
      return entry.buffer;
    });
  }

  /** Gives back what `take` gave; what no program has any more is freed. */
  release(buffers: readonly B[]): void {
    for (const buffer of buffers) {
      const entry = this.#entries.find((each) => each.buffer === buffer);
      if (entry && --entry.users === 0) this.#drop(buffer);
    }
  }

  #drop(buffer: B): void {
    const at = this.#entries.findIndex((entry) => entry.buffer === buffer);
    this.#entries.splice(at, 1);
    this.#free(buffer);
  }

  #add(bytes: number): Entry<B> {
    const entry = { buffer: this.#make(bytes), bytes, users: 0 };
    this.#entries.push(entry);
    return entry;
  }
}
