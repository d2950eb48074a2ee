import type { AddressType, ValueType } from "./module.ts";
import { doubleBytes, floatBytes, integerBytes, type Opcode, opcodeBytes, signed, unsigned } from "./opcodes.ts";

/**
 * How often a value changes: once per call, once per row, or with every vector. Code is emitted at the level of what it
 * reads, so constants and what only depends on a row are computed outside the loops by themselves.
 */
export const levels = { call: 0, row: 1, vector: 2 } as const;
export type Level = (typeof levels)[keyof typeof levels];

/** A computed value: a local that is set once. */
export interface Value {
  readonly local: number;
  readonly level: Level;
}

/** A byte address: a parameter that holds where a tensor starts, and a position that changes. */
export interface Address {
  readonly base: number;
  /** Absent for a single element. */
  readonly position?: Value;
}

/** Functions of `Math` that code may fall back to, lane by lane. */
export type ScalarFunction = "sin" | "cos" | "pow";

/** How the instruction set is used. */
export interface Dialect {
  /** The engine has relaxed SIMD: multiply-add is one instruction. */
  readonly relaxed: boolean;
  /** The type of addresses, and of positions relative to them. */
  readonly addresses: AddressType;
}

/** Code of a function in static single assignment: every operation sets a fresh local. */
export class Body {
  readonly locals: ValueType[] = [];
  /** Code by level. The caller puts it together. */
  readonly code: [call: number[], row: number[], vector: number[]] = [[], [], []];
  readonly dialect: Dialect;
  readonly #params: readonly ValueType[];
  readonly #known = new Map<string, Value>();
  /** Bytes that moving loads and stores add to their addresses. */
  #ahead = 0;
  /** What was computed ahead. */
  #seconds: number[] = [];
  /** Whether some of the code runs for some elements only. */
  branches = false;
  /** Index of the imported function of the same name of `Math`, on doubles. */
  readonly scalarFunction: (name: ScalarFunction) => number;

  /** `params` are the types of the parameters; none may be added after the first local. */
  constructor(params: readonly ValueType[], dialect: Dialect, scalarFunction: Body["scalarFunction"]) {
    this.#params = params;
    this.dialect = dialect;
    this.scalarFunction = scalarFunction;
  }

  /** A new local. */
  local(type: ValueType): number {
    return this.#params.length + this.locals.push(type) - 1;
  }

  /** Starts the code of a second loop body: what was known inside the first one is not known here. */
  startVector(): void {
    this.code[levels.vector] = [];
    for (const [key, value] of this.#known) if (value.level === levels.vector) this.#known.delete(key);
  }

  /** A vector operation on values; `immediates` follow the opcode. The same operation on the same values is done once. */
  op(name: Opcode, args: readonly Value[], immediates: readonly number[] = []): Value {
    let key: string = name;
    let level: Level = levels.call;
    for (const arg of args) {
      key += ` ${arg.local}`;
      if (arg.level > level) level = arg.level;
    }
    if (immediates.length) key += `/${immediates}`;
    const known = this.#known.get(key);
    if (known) return known;
    const code = this.code[level];
    for (const { local } of args) code.push(0x20, ...unsigned(local));
    code.push(...opcodeBytes(name), ...immediates);
    return this.#keep(key, level);
  }

  #keep(key: string, level: Level, code: readonly number[] = [], type: ValueType = "v128"): Value {
    const local = this.local(type);
    this.code[level].push(...code, 0x21, ...unsigned(local));
    const value = { local, level };
    if (this.#ahead) this.#seconds.push(local);
    this.#known.set(key, value);
    return value;
  }

  /** A shift of each 32-bit lane. */
  shift(name: "i32x4.shl" | "i32x4.shr_s" | "i32x4.shr_u", x: Value, by: number): Value {
    const key = `${name} ${x.local} ${by}`;
    const known = this.#known.get(key);
    if (known) return known;
    this.code[x.level].push(0x20, ...unsigned(x.local), 0x41, ...signed(by), ...opcodeBytes(name));
    return this.#keep(key, x.level);
  }

  /** A function of `Math` applied lane by lane, where `mask` has a lane set; else `otherwise`. */
  laneByLane(name: ScalarFunction, args: readonly Value[], mask: Value, otherwise: Value): Value {
    this.branches = true;
    const level = Math.max(...[...args, mask, otherwise].map((value) => value.level)) as Level;
    const get = ({ local }: Value) => [0x20, ...unsigned(local)];
    const code = this.code[level];
    // if (any lane) (result v128) … else otherwise end
    code.push(...get(mask), ...opcodeBytes("v128.any_true"), 0x04, 0x7b, ...get(args[0]));
    for (let lane = 0; lane < 4; lane++) {
      for (const arg of args) {
        code.push(...get(arg), ...opcodeBytes("f32x4.extract_lane"), lane);
        code.push(...opcodeBytes("f64.promote_f32"));
      }
      code.push(0x10, ...unsigned(this.scalarFunction(name)), ...opcodeBytes("f32.demote_f64"));
      code.push(...opcodeBytes("f32x4.replace_lane"), lane);
    }
    code.push(0x05, ...get(otherwise), 0x0b);
    const key = `${name} ${args.map(({ local }) => local)} ${otherwise.local}`;
    return this.#keep(key, level);
  }

  /** The same float in all lanes. */
  f32(value: number): Value {
    return this.#constant(`f32 ${sameKey(value)}`, 4, () => floatBytes(value));
  }
  /** The same integer in all lanes. */
  i32(value: number): Value {
    return this.#constant(`i32 ${value}`, 4, () => integerBytes(value));
  }
  /** The same double in both lanes. */
  f64(value: number): Value {
    return this.#constant(`f64 ${sameKey(value)}`, 2, () => doubleBytes(value));
  }
  #constant(key: string, lanes: number, bytesOf: () => number[]): Value {
    const known = this.#known.get(key);
    if (known) return known;
    const code = this.code[levels.call];
    const bytes = bytesOf();
    code.push(...opcodeBytes("v128.const"));
    for (let lane = 0; lane < lanes; lane++) code.push(...bytes);
    return this.#keep(key, levels.call);
  }

  /** A parameter in all lanes. */
  splat(param: number, type: "f32" | "i32"): Value {
    const key = `splat ${param}`;
    const known = this.#known.get(key);
    if (known) return known;
    this.code[levels.call].push(0x20, ...unsigned(param), ...opcodeBytes(`${type}x4.splat`));
    return this.#keep(key, levels.call);
  }

  /** Pushes an address; the sum of its parts is a local, so that both vectors of a pair have the same one. */
  #at({ base, position }: Address): number[] {
    if (!position) return [0x20, ...unsigned(base)];
    const key = `at ${base} ${position.local}`;
    const type = this.dialect.addresses;
    const code = [0x20, ...unsigned(base), 0x20, ...unsigned(position.local), ...opcodeBytes(`${type}.add`)];
    const { local } = this.#known.get(key) ?? this.#keep(key, position.level, code, type);
    return [0x20, ...unsigned(local)];
  }

  /** Four floats from an address, or one float in all lanes. */
  load(how: "v128.load" | "v128.load32_splat", address: Address): Value {
    const level = address.position?.level ?? levels.call;
    const ahead = level === levels.vector ? this.#ahead : 0;
    const key = `${how} ${address.position?.local} ${address.base} ${ahead}`;
    const known = this.#known.get(key);
    if (known) return known;
    // Alignment 2^2: tensors start anywhere.
    this.code[level].push(...this.#at(address), ...opcodeBytes(how), 2, ahead);
    return this.#keep(key, level);
  }
  /** Stores four floats, or the first lane. Never merged, always in the innermost loop. */
  store(how: "v128.store" | "v128.store32_lane", address: Address, x: Value): void {
    const lane = how === "v128.store32_lane" ? [0] : [];
    const code = this.code[levels.vector];
    code.push(...this.#at(address), 0x20, ...unsigned(x.local), ...opcodeBytes(how), 2, this.#ahead, ...lane);
  }

  /** What `make` loads and stores lies so many bytes further on: in a pair of vectors, the second is 16 bytes ahead. */
  aheadBy<Result>(bytes: number, make: () => Result): Result {
    this.#ahead = bytes;
    const result = make();
    this.#ahead = 0;
    return result;
  }

  /** Clears what was computed ahead: V8 joins no pair of vectors of which the second might be read after the loop. */
  clearSeconds(): void {
    if (!this.#seconds.length) return;
    const zero = this.local("v128");
    for (const local of this.#seconds.splice(0))
      this.code[levels.vector].push(0x20, ...unsigned(zero), 0x21, ...unsigned(local));
  }

  // Shorthands for the arithmetic of emit/maths.ts.
  add = (a: Value, b: Value): Value => this.op("f32x4.add", [a, b]);
  sub = (a: Value, b: Value): Value => this.op("f32x4.sub", [a, b]);
  mul = (a: Value, b: Value): Value => this.op("f32x4.mul", [a, b]);
  div = (a: Value, b: Value): Value => this.op("f32x4.div", [a, b]);
  /** a · b + c. */
  madd(a: Value, b: Value, c: Value): Value {
    return this.dialect.relaxed ? this.op("f32x4.relaxed_madd", [a, b, c]) : this.add(this.mul(a, b), c);
  }
  /** Bits of `yes` where `mask` is set, else of `no`. */
  select(mask: Value, yes: Value, no: Value): Value {
    return this.op("v128.bitselect", [yes, no, mask]);
  }
  /** c₀ + x·(c₁ + x·(c₂ + …)). */
  polynomial(x: Value, coefficients: readonly number[]): Value {
    return coefficients
      .slice(0, -1)
      .reduceRight<Value>((sum, c) => this.madd(sum, x, this.f32(c)), this.f32(coefficients[coefficients.length - 1]));
  }
}

/** Tells 0 from -0. */
const sameKey = (value: number): string => (Object.is(value, -0) ? "-0" : `${value}`);
