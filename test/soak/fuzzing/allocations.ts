/** Counts what is allocated meanwhile: arrays to the byte, by the constructors that all code calls, and the heap as V8 tells it. */
import { getHeapStatistics } from "node:v8";

/** Bytes that were allocated, whether or not they have been freed since. */
export interface Allocated {
  readonly arrays: number;
  /** Objects and texts; less than there were when garbage was collected meanwhile. */
  readonly heap: number;
}

const CONSTRUCTORS = [
  "ArrayBuffer",
  "Uint8Array",
  "Int8Array",
  "Uint16Array",
  "Int16Array",
  "Uint32Array",
  "Int32Array",
  "Float32Array",
  "Float64Array",
  "BigInt64Array",
] as const;

interface Sized {
  readonly BYTES_PER_ELEMENT?: number;
}

/** Runs `work` while the global constructors count. One at a time. */
export async function counting<T>(work: (allocated: () => Allocated) => Promise<T>): Promise<T> {
  let arrays = 0;
  const globals = globalThis as unknown as Record<string, new (...given: unknown[]) => object>;
  const originals = CONSTRUCTORS.map((name) => globals[name]);
  for (const [i, name] of CONSTRUCTORS.entries()) {
    const size = (originals[i] as Sized).BYTES_PER_ELEMENT ?? 1;
    globals[name] = new Proxy(originals[i], {
      construct(target, given, asked) {
        const made = Reflect.construct(target, given, asked);
        // A view of a buffer allocates nothing.
        if (!(given[0] instanceof ArrayBuffer)) arrays += (made as { length?: number; byteLength: number }).byteLength;
        return made;
      },
    });
    // What `slice` and `map` make.
    if (size)
      Object.defineProperty(originals[i].prototype, "constructor", {
        value: globals[name],
        configurable: true,
        writable: true,
      });
  }
  const heap = () => getHeapStatistics().used_heap_size;
  try {
    return await work(() => ({ arrays, heap: heap() }));
  } finally {
    for (const [i, name] of CONSTRUCTORS.entries()) {
      globals[name] = originals[i];
      Object.defineProperty(originals[i].prototype, "constructor", {
        value: originals[i],
        configurable: true,
        writable: true,
      });
    }
  }
}
