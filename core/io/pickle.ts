/**
 * Python pickles, read without running anything: a stack machine over plain values, in which a global name stands for what the
 * caller gives for it, and any other is refused by its name. Protocols 0 to 5, as CPython's `pickletools` describes them.
 */
import { failure } from "../errors.ts";
import { damaged } from "./byteSource.ts";

/** A function or class that a pickle may call. Its methods are ours: nothing of Python runs. */
export interface PickleGlobal {
  /** Makes the value of a call, also of `__new__`. Throws to refuse the arguments. */
  call(...args: unknown[]): unknown;
}

/** An object that takes its state from the pickle. */
export interface PickleObject {
  setState(state: unknown): void;
}

/** What a pickle may refer to. */
export interface PickleWorld {
  /** What `module.name` stands for; undefined refuses it. */
  global(module: string, name: string): unknown;
  /** What a persistent id stands for; absent where there are none. */
  persistent?(id: unknown): unknown;
}

/** A pickle's value, and where the bytes after it begin. Dicts are `Map`s, tuples and lists arrays, bytes `Uint8Array`s. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}

const MARK = Symbol("mark");
/** No name that is known takes more. */
const MOST_ARGUMENTS = 16;
/** Values that lie in the arguments of calls and in states, for each byte of a file: where they are shared, it can be more. */
const MOST_GIVEN = 16;
/** Files of any size may have so many. */
const LEAST_GIVEN = 4096;
/** Letters that are made a text at once: as arguments of a call. */
const PORTION = 8192;
/** Text of protocol 0, and protocols before 3 for bytes of Python 2, has a byte a letter. */
const latin1 = (bytes: Uint8Array): string => {
  let text = "";
  for (let at = 0; at < bytes.length; at += PORTION) text += String.fromCharCode(...bytes.subarray(at, at + PORTION));
  return text;
};

/** Where a pickle lies. */
export interface PicklePlace {
  /** The byte that it begins with; 0 without it. */
  readonly start?: number;
  /** Bytes that it takes in its file, where it is packed: what it may cost follows from them. */
  readonly packed?: number;
}

/**
 * Reads one pickle.
 * @throws E_DATA for a damaged pickle, an operation that a file of numbers has no need of, or a name that `world` does not know
 */
export function unpickle(bytes: Uint8Array, world: PickleWorld, from: string, place: PicklePlace = {}): Unpickled {
  return new PickleMachine(bytes, world, from, place).run();
}

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #world: PickleWorld;
  readonly #from: string;
  readonly #memo = new Map<number, unknown>();
  readonly #stack: unknown[] = [];
  #at: number;
  #given = 0;
  readonly #mostGiven: number;

  constructor(bytes: Uint8Array, world: PickleWorld, from: string, { start = 0, packed = bytes.length }: PicklePlace) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#world = world;
    this.#from = from;
    this.#at = start;
    this.#mostGiven = LEAST_GIVEN + MOST_GIVEN * packed;
  }

  run(): Unpickled {
    for (;;) {
      const code = this.#take(1)[0];
      if (code === 0x2e) return { value: this.#pop(), end: this.#at }; // STOP
      this.#step(code);
    }
  }

  #refuse(why: string): Error {
    return damaged({ name: this.#from }, `${why} (byte ${this.#at} of its pickle)`);
  }

  #step(code: number): void {
    const simple = SIMPLE[code];
    if (simple) this.#stack.push(simple());
    else if (code === 0x28) this.#stack.push(MARK);
    else if (code === 0x30) this.#pop();
    else if (code === 0x31) this.#popMark();
    else if (code === 0x32) this.#stack.push(this.#top());
    else if (code === 0x80) this.#protocol();
    else if (code === 0x95) this.#length(8);
    else if (!(this.#number(code) || this.#text(code) || this.#collection(code) || this.#reference(code)))
      throw this.#refuse(`operation 0x${code.toString(16).padStart(2, "0")} is none that a file of weights needs`);
  }

  #protocol(): void {
    const protocol = this.#take(1)[0];
    if (protocol > 5) throw this.#refuse(`it has protocol ${protocol}, should be 5 at most`);
  }

  #number(code: number): boolean {
    const value = this.#numberOf(code);
    if (value !== undefined) this.#stack.push(value);
    return value !== undefined;
  }

  #numberOf(code: number): unknown {
    switch (code) {
      case 0x4a: // BININT
        return this.#take4().getInt32(0, true);
      case 0x4b: // BININT1
        return this.#take(1)[0];
      case 0x4d: // BININT2
        return this.#length(2);
      case 0x47: // BINFLOAT
        return new DataView(this.#take(8).slice().buffer).getFloat64(0);
      case 0x8a: // LONG1
        return integer(this.#take(this.#length(1)));
      case 0x8b: // LONG4
        return this.#long(this.#length(4));
      case 0x49: // INT
        return this.#integerLine();
      case 0x4c: // LONG
        return this.#integerLine();
      case 0x46: // FLOAT
        return this.#floatLine();
      default:
        return undefined;
    }
  }

  #long(bytes: number): number | bigint {
    if (bytes > 1024) throw this.#refuse(`it has a whole number of ${bytes} bytes`);
    return integer(this.#take(bytes));
  }

  #integerLine(): number | bigint | boolean {
    const line = this.#line().replace(/L$/, "");
    if (line === "00") return false;
    if (line === "01") return true;
    if (!/^[+-]?\d{1,400}$/.test(line)) throw this.#refuse(`${JSON.stringify(line)} is no whole number`);
    return small(BigInt(line));
  }

  #floatLine(): number {
    const line = this.#line();
    const named: Record<string, number> = { inf: Infinity, "-inf": -Infinity, nan: NaN };
    const value = Object.hasOwn(named, line) ? named[line] : line.trim() === "" ? NaN : Number(line);
    if (Number.isNaN(value) && line !== "nan") throw this.#refuse(`${JSON.stringify(line)} is no number`);
    return value;
  }

  #text(code: number): boolean {
    const value = this.#textOf(code);
    if (value !== undefined) this.#stack.push(value);
    return value !== undefined;
  }

  #textOf(code: number): unknown {
    switch (code) {
      case 0x58: // BINUNICODE
        return this.#utf8(this.#length(4));
      case 0x8c: // SHORT_BINUNICODE
        return this.#utf8(this.#length(1));
      case 0x8d: // BINUNICODE8
        return this.#utf8(this.#length(8));
      case 0x42: // BINBYTES
        return this.#take(this.#length(4));
      case 0x43: // SHORT_BINBYTES
        return this.#take(this.#length(1));
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        return this.#take(this.#length(8));
      case 0x54: // BINSTRING
        return latin1(this.#take(this.#length(4)));
      case 0x55: // SHORT_BINSTRING
        return latin1(this.#take(this.#length(1)));
      case 0x53: // STRING
        return this.#quoted();
      case 0x56: // UNICODE
        return this.#line().replace(/\\u([0-9a-f]{4})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
      default:
        return undefined;
    }
  }

  #quoted(): string {
    const line = this.#line();
    const inside = line.match(/^'(.*)'$/s)?.[1] ?? line.match(/^"(.*)"$/s)?.[1];
    if (inside === undefined) throw this.#refuse("a text has no quotes around it");
    return inside.replace(/\\(x([0-9a-f]{2})|[\\'"nrt])/gi, (all, what: string, hex?: string) =>
      hex ? String.fromCharCode(Number.parseInt(hex, 16)) : ({ n: "\n", r: "\r", t: "\t" }[what] ?? all[1]),
    );
  }

  #collection(code: number): boolean {
    switch (code) {
      case 0x74: // TUPLE
      case 0x6c: // LIST
        this.#stack.push(this.#popMark());
        return true;
      case 0x64: // DICT
        this.#stack.push(this.#filled(new Map(), this.#popMark()));
        return true;
      case 0x91: // FROZENSET
        this.#stack.push(new Set(this.#popMark()));
        return true;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: {
        const items = Array.from({ length: code - 0x84 }, () => this.#pop());
        this.#stack.push(items.reverse());
        return true;
      }
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return true;
      case 0x65: // APPENDS
        this.#append(this.#popMark());
        return true;
      case 0x73: {
        const [value, key] = [this.#pop(), this.#pop()];
        this.#filled(this.#top(), [key, value]);
        return true;
      }
      case 0x75: {
        const items = this.#popMark();
        this.#filled(this.#top(), items);
        return true;
      }
      case 0x90: {
        const items = this.#popMark();
        const set = this.#top();
        if (!(set instanceof Set)) throw this.#refuse("something is added to what is no set");
        for (const item of items) set.add(item);
        return true;
      }
      default:
        return false;
    }
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#refuse("something is appended to what is no list");
    for (const item of items) list.push(item);
  }

  #filled(map: unknown, items: readonly unknown[]): unknown {
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.#refuse("entries are set in what is no dict");
    for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
    return map;
  }

  /** The memo, globals, calls and states. */
  #reference(code: number): boolean {
    switch (code) {
      case 0x71: // BINPUT
        this.#memo.set(this.#length(1), this.#top());
        return true;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#length(4), this.#top());
        return true;
      case 0x70: // PUT
        this.#memo.set(Number(this.#integerLine()), this.#top());
        return true;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return true;
      case 0x68: // BINGET
        this.#stack.push(this.#remembered(this.#length(1)));
        return true;
      case 0x6a: // LONG_BINGET
        this.#stack.push(this.#remembered(this.#length(4)));
        return true;
      case 0x67: // GET
        this.#stack.push(this.#remembered(Number(this.#integerLine())));
        return true;
      case 0x63: // GLOBAL
        this.#stack.push(this.#global(this.#line(), this.#line()));
        return true;
      case 0x93: {
        const [name, module] = [this.#pop(), this.#pop()];
        if (typeof module !== "string" || typeof name !== "string") throw this.#refuse("a name is no text");
        this.#stack.push(this.#global(module, name));
        return true;
      }
      case 0x51: // BINPERSID
        this.#stack.push(this.#persistent(this.#pop()));
        return true;
      case 0x50: // PERSID
        this.#stack.push(this.#persistent(this.#line()));
        return true;
      case 0x52: // REDUCE
      case 0x81: {
        const [args, callable] = [this.#pop(), this.#pop()];
        this.#stack.push(this.#called(callable, args));
        return true;
      }
      case 0x92: {
        const [named, args, callable] = [this.#pop(), this.#pop(), this.#pop()];
        if (!(named instanceof Map) || named.size > 0) throw this.#refuse("a class is made with named arguments");
        this.#stack.push(this.#called(callable, args));
        return true;
      }
      case 0x6f: {
        const [callable, ...args] = this.#popMark();
        this.#stack.push(this.#called(callable, args));
        return true;
      }
      case 0x69: {
        const callable = this.#global(this.#line(), this.#line());
        this.#stack.push(this.#called(callable, this.#popMark()));
        return true;
      }
      case 0x62: {
        const state = this.#pop();
        this.#build(this.#top(), state);
        return true;
      }
      default:
        return false;
    }
  }

  #remembered(key: number): unknown {
    if (!this.#memo.has(key)) throw this.#refuse(`it refers to object ${key} before there is one`);
    return this.#memo.get(key);
  }

  #global(module: string, name: string): unknown {
    const known = this.#world.global(module, name);
    if (known !== undefined) return known;
    throw failure(
      "E_DATA",
      `Cannot read ${this.#from}: it asks for ${JSON.stringify(`${module}.${name}`)}, which is none of the names that a file of weights needs (byte ${this.#at} of its pickle)`,
      {
        fix: "store the weights alone where they were made, best as safetensors; do not load this file in Python unless you trust it",
      },
    );
  }

  #persistent(id: unknown): unknown {
    if (!this.#world.persistent) throw this.#refuse("it refers to something outside");
    return this.#world.persistent(id);
  }

  #called(callable: unknown, args: unknown): unknown {
    const { call } = (callable ?? {}) as Partial<PickleGlobal>;
    if (typeof call !== "function" || !Array.isArray(args) || args.length > MOST_ARGUMENTS)
      throw this.#refuse("it calls what can't be called");
    this.#give(args);
    return (callable as PickleGlobal).call(...args);
  }

  /** An ordered dict of PyTorch carries attributes besides, which nothing needs. */
  #build(object: unknown, state: unknown): void {
    const { setState } = (object ?? {}) as Partial<PickleObject>;
    this.#give(Array.isArray(state) ? state : [state]);
    if (typeof setState === "function") (object as PickleObject).setState(state);
    else if (!(object instanceof Map)) throw this.#refuse("a state is given to what has none");
  }

  /** Whoever is called may copy what it is given: one list or text, given again and again, would fill the memory. */
  #give(values: readonly unknown[]): void {
    for (const value of values) {
      if (value instanceof Map || value instanceof Set) this.#given += value.size;
      else if (Array.isArray(value) || typeof value === "string" || value instanceof Uint8Array)
        this.#given += value.length;
    }
    if (this.#given > this.#mostGiven) throw this.#refuse("it gives the same values again and again to what it calls");
  }

  #pop(): unknown {
    if (this.#stack.length === 0 || this.#top() === MARK) throw this.#refuse("it takes more than there is");
    return this.#stack.pop();
  }

  #top(): unknown {
    if (this.#stack.length === 0) throw this.#refuse("it takes more than there is");
    return this.#stack[this.#stack.length - 1];
  }

  #popMark(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.#refuse("it takes more than there is");
    const items = this.#stack.splice(at);
    return items.slice(1);
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.#refuse("it is cut short");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #take4(): DataView {
    this.#take(4);
    return new DataView(this.#view.buffer, this.#view.byteOffset + this.#at - 4, 4);
  }

  /** An unsigned number of 1, 2, 4 or 8 bytes, little-endian. */
  #length(bytes: number): number {
    return this.#take(bytes).reduceRight((sum, byte) => sum * 256 + byte, 0);
  }

  #utf8(length: number): string {
    return new TextDecoder().decode(this.#take(length));
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw this.#refuse("it is cut short");
    const line = this.#take(end - this.#at);
    this.#at++;
    return new TextDecoder().decode(line);
  }
}

/** The text of a key or name: of a text, number, truth value, None, or a flat tuple of them; undefined for anything else. */
export function keyText(key: unknown): string | undefined {
  const isFlat = (each: unknown) => typeof each !== "object" || each === null;
  return isFlat(key) || (Array.isArray(key) && key.length <= MOST_ARGUMENTS && key.every(isFlat))
    ? String(key)
    : undefined;
}

/** The bytes that a text of letters up to 255 stands for; undefined for anything else. */
export function latin1Bytes(text: unknown): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return undefined;
    bytes[i] = code;
  }
  return bytes;
}

/** Values without arguments: NONE, NEWTRUE, NEWFALSE, EMPTY_TUPLE, EMPTY_LIST, EMPTY_DICT, EMPTY_SET. */
const SIMPLE: Readonly<Record<number, () => unknown>> = {
  78: () => null,
  136: () => true,
  137: () => false,
  41: () => [],
  93: () => [],
  125: () => new Map(),
  143: () => new Set(),
};

/** Two's complement, little-endian. */
function integer(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .reverse()
    .join("");
  return small(BigInt.asIntN(8 * bytes.length, BigInt(`0x${hex}`)));
}

const small = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};
