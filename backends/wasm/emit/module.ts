import { signed, signed64, unsigned } from "./opcodes.ts";

/** Types of values, as the binary format writes them. */
export const valueTypes = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof valueTypes;

/** A function type. */
export interface Signature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A function to call: an imported one, or one of the module itself. */
export type Target = { readonly imported: number } | { readonly number: number; readonly signature: Signature };

/** The type of addresses: it limits the size of a memory. */
export type AddressType = "i32" | "i64";

/** The largest memory, in pages of 64 KiB: 4 GiB, or the 16 GiB that engines allow. */
export const MAX_PAGES: Readonly<Record<AddressType, number>> = { i32: 65536, i64: 262144 };

/** The memory that code is made for. */
export interface MemoryKind {
  readonly shared: boolean;
  readonly addresses: AddressType;
}

/** The type of a step: it gets a range of work items. */
export const STEP: Signature = { params: ["i32", "i32"], results: [] };

/**
 * Puts a WebAssembly module together. Its functions stand in a table and go by their numbers there; the one export is
 * `run(step, start, end)`, which calls a step. (One export, because engines make the passage from JavaScript fast for each
 * export anew.) All live on the memory imported as `env.memory`, and know their thread's own space by the global `env.own`.
 */
export class ModuleWriter {
  readonly #memory: MemoryKind;
  readonly #types: string[] = [];
  readonly #typeBytes: number[][] = [];
  readonly #imports = new Map<string, { index: number; bytes: number[] }>();
  readonly #functions: { type: number; head: number[]; code: readonly number[] }[] = [];

  constructor(memory: MemoryKind) {
    this.#memory = memory;
  }

  #type({ params, results }: Signature): number {
    const key = `${params}>${results}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const list = (types: readonly ValueType[]) => vectorOf(types.map((type) => [valueTypes[type]]));
    this.#typeBytes.push([0x60, ...list(params), ...list(results)]);
    return this.#types.push(key) - 1;
  }

  /** Index of an imported function. */
  importFunction(from: string, name: string, signature: Signature): number {
    const key = `${from}.${name}(${signature.params})`;
    const known = this.#imports.get(key);
    if (known) return known.index;
    const index = this.#imports.size;
    const type = this.#type(signature);
    this.#imports.set(key, {
      index,
      bytes: [...text(from), ...text(name), 0x00, ...unsigned(type)],
    });
    return index;
  }

  /** Adds a function and returns its number. `locals` come after the parameters. */
  addFunction(signature: Signature, locals: readonly ValueType[], code: readonly number[]): number {
    // Runs of one type are written together.
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of locals) {
      const last = runs[runs.length - 1];
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const declared = runs.map(({ type, count }) => [...unsigned(count), valueTypes[type]]);
    const head = vectorOf(declared);
    return this.#functions.push({ type: this.#type(signature), head, code }) - 1;
  }

  /** Adds a step that calls a function with its own range and constants: `args` is the code that pushes them. */
  addStep(target: Target, args: readonly number[]): number {
    const call =
      "imported" in target
        ? [0x10, ...unsigned(target.imported)]
        : [...i32Const(target.number), 0x11, ...unsigned(this.#type(target.signature)), 0x00];
    return this.addFunction(STEP, [], [0x20, 0, 0x20, 1, ...args, ...call]);
  }

  /** The module, of which nothing may be added to any more. */
  bytes(): Uint8Array<ArrayBuffer> {
    const { shared, addresses } = this.#memory;
    const flags = 0x01 | (shared ? 0x02 : 0) | (addresses === "i64" ? 0x04 : 0);
    const limits = [flags, ...unsigned(1), ...unsigned(MAX_PAGES[addresses])];
    const memory = [...text("env"), ...text("memory"), 0x02, ...limits];
    const own = [...text("env"), ...text("own"), 0x03, valueTypes[addresses], 0x00];
    const imports = [...[...this.#imports.values()].map(({ bytes }) => bytes), memory, own];
    const first = this.#imports.size;
    const count = this.#functions.length;
    const step = unsigned(this.#type(STEP));
    const run = unsigned(this.#type({ params: ["i32", "i32", "i32"], results: [] }));
    // run: the steps stand in a table, called with the second and third parameter.
    const dispatch = [0x00, 0x20, 1, 0x20, 2, 0x20, 0, 0x11, ...step, 0x00, 0x0b];
    const bodies = this.#functions.flatMap(({ head, code }) => [
      unsigned(head.length + code.length + 1),
      head,
      code,
      [0x0b],
    ]);
    const sections: [number, Bytes[]][] = [
      [1, [vectorOf(this.#typeBytes)]],
      [2, [vectorOf(imports)]],
      [3, [vectorOf([...this.#functions.map(({ type }) => unsigned(type)), run])]],
      [4, [vectorOf([[0x70, 0x00, ...unsigned(count)]])]],
      [7, [vectorOf([[...text("run"), 0x00, ...unsigned(first + count)]])]],
      [9, [[1, 0x00, ...i32Const(0), 0x0b], vectorOf(this.#functions.map((_, i) => unsigned(first + i)))]],
      [10, [unsigned(count + 1), ...bodies, unsigned(dispatch.length), dispatch]],
    ];
    return joined([
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...sections.flatMap(([id, parts]) => [[id], unsigned(lengthOf(parts)), ...parts]),
    ]);
  }
}

type Bytes = readonly number[];

const text = (name: string): number[] => {
  const bytes = [...new TextEncoder().encode(name)];
  return [...unsigned(bytes.length), ...bytes];
};

/** A vector of the binary format: its length, then its items. */
const vectorOf = (items: readonly Bytes[]): number[] => [...unsigned(items.length), ...items.flat()];

const lengthOf = (parts: readonly Bytes[]): number => parts.reduce((sum, part) => sum + part.length, 0);

function joined(parts: readonly Bytes[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(lengthOf(parts));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** `i32.const value`. */
export const i32Const = (value: number): number[] => [0x41, ...signed(value)];

/** Pushes an address, or a distance of addresses; neither is negative. */
export const addressConst = (type: AddressType, value: number): number[] =>
  type === "i32" ? i32Const(value) : [0x42, ...signed64(value)];
