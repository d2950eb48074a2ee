import type { Body, Value } from "./body.ts";
import { levels } from "./body.ts";
import type { Chain } from "./chain.ts";
import { type AddressType, addressConst, i32Const } from "./module.ts";
import { opcodeBytes, unsigned } from "./opcodes.ts";

/** Elements of a row that one work item computes. */
export const BLOCK = 1024;

/** Hands out the parameters of an emitted function, each with the value that a call of it gets. */
export interface Parameters {
  /** A new i32 parameter: its local. */
  take(value: number): number;
}

/**
 * Byte positions of the operands relative to where they start, one local for all operands that move alike; and the code
 * that sets them for a work item.
 */
export class Positions {
  /** Work items that cover the shape. */
  readonly items: number;
  readonly #values: readonly (Value | undefined)[];
  readonly #chain: Chain;
  readonly #type: AddressType;
  /** Parameters: the innermost size, blocks per row, sizes of the outer axes, strides by pattern and axis. */
  readonly #inner: number;
  readonly #blocks: number;
  readonly #sizes: readonly number[];
  readonly #strides: readonly (readonly (number | undefined)[])[];
  readonly #row: number;
  readonly #first: number;
  readonly #count: number;
  /** Where the loops over pairs of vectors, vectors and single elements end, as positions of the output. */
  readonly pairEnd: number;
  readonly vectorEnd: number;
  readonly end: number;

  constructor(body: Body, chain: Chain, parameters: Parameters) {
    this.#chain = chain;
    this.#type = body.dialect.addresses;
    const { sizes, patterns } = chain;
    const last = sizes.length - 1;
    const elements = sizes.reduce((product, size) => product * size, 1);
    const blocks = Math.ceil(sizes[last] / BLOCK);
    this.items = (elements / sizes[last]) * blocks;
    this.#inner = parameters.take(sizes[last]);
    this.#blocks = parameters.take(blocks);
    // The outermost size is never needed: what is left of the row's number is its index there.
    this.#sizes = sizes.slice(0, last).map((size, axis) => (axis ? parameters.take(size) : -1));
    this.#strides = patterns.map((strides) =>
      strides.slice(0, last).map((stride) => (stride ? parameters.take(stride) : undefined)),
    );
    const local = () => body.local("i32");
    const position = () => body.local(this.#type);
    this.#values = patterns.map((strides, i) => {
      // The output moves even where it has a single element.
      if (i === 0 || strides[last] !== 0) return { local: position(), level: levels.vector };
      return strides.some((stride) => stride !== 0) ? { local: position(), level: levels.row } : undefined;
    });
    [this.#row, this.#first, this.#count] = [local(), local(), local()];
    [this.pairEnd, this.vectorEnd, this.end] = [position(), position(), position()];
  }

  /** The position of a pattern; undefined where it never moves. */
  of(pattern: number): Value | undefined {
    return this.#values[pattern];
  }

  /** Locals of the positions that move along a row, the output's first. */
  moving(): number[] {
    return this.#values.flatMap((value) => (value?.level === levels.vector ? [value.local] : []));
  }

  /** Code that sets all positions to the start of work item `item`, and the ends of its loops. */
  ofItem(item: number): number[] {
    const { sizes } = this.#chain;
    const op = opcodeBytes;
    const type = this.#type;
    // Makes an index a position, so that products are those of positions.
    const wide = type === "i64" ? op("i64.extend_i32_u") : [];
    const row = get(this.#row);
    // row = item / blocks;  first = (item − row·blocks)·BLOCK
    const code = [...get(item), ...get(this.#blocks), ...op("i32.div_u"), ...set(this.#row)];
    code.push(...get(item), ...row, ...get(this.#blocks), ...op("i32.mul"), ...op("i32.sub"));
    code.push(...i32Const(BLOCK), ...op("i32.mul"), ...set(this.#first));
    for (const value of this.#values) {
      if (!value) continue;
      const start = value.level === levels.vector ? [...get(this.#first), ...wide] : addressConst(type, 0);
      code.push(...start, ...set(value.local));
    }
    // The row's index along each outer axis, innermost first; `row` keeps what is left.
    for (let axis = sizes.length - 2; axis >= 0; axis--) {
      const size = get(this.#sizes[axis]);
      const index = axis === 0 ? row : [...row, ...size, ...op("i32.rem_u")];
      this.#values.forEach((value, pattern) => {
        const stride = this.#strides[pattern][axis];
        if (!value || stride === undefined) return;
        code.push(...index, ...wide, ...get(stride), ...wide, ...op(`${type}.mul`));
        code.push(...get(value.local), ...op(`${type}.add`), ...set(value.local));
      });
      if (axis > 0) code.push(...row, ...size, ...op("i32.div_u"), ...set(this.#row));
    }
    for (const value of this.#values)
      if (value) code.push(...get(value.local), ...addressConst(type, 2), ...op(`${type}.shl`), ...set(value.local));
    // count = min(inner − first, BLOCK); the loops end at its multiples of eight and four and at the count itself.
    const left = [...get(this.#inner), ...get(this.#first), ...op("i32.sub")];
    code.push(...left, ...i32Const(BLOCK), ...left, ...i32Const(BLOCK), ...op("i32.lt_u"), 0x1b);
    code.push(...set(this.#count));
    const [output] = this.moving();
    const endAt = (count: number[], local: number) => {
      code.push(...count, ...wide, ...addressConst(type, 2), ...op(`${type}.shl`));
      code.push(...get(output), ...op(`${type}.add`));
      code.push(...set(local));
    };
    endAt([...get(this.#count), ...i32Const(-8), ...op("i32.and")], this.pairEnd);
    endAt([...get(this.#count), ...i32Const(-4), ...op("i32.and")], this.vectorEnd);
    endAt(get(this.#count), this.end);
    return code;
  }

  /** `while (output position < end) { body; every position that moves += step }`. */
  loop(end: number, body: readonly number[], step: number): number[] {
    const moving = this.moving();
    const advance = moving.flatMap((local) => [
      ...get(local),
      ...addressConst(this.#type, step),
      ...opcodeBytes(`${this.#type}.add`),
      ...set(local),
    ]);
    const inside = [...get(moving[0]), ...get(end), ...opcodeBytes(`${this.#type}.lt_u`)];
    // if (inside) { loop { body; advance; if (inside) again } }
    return [...inside, 0x04, 0x40, 0x03, 0x40, ...body, ...advance, ...inside, 0x0d, 0, 0x0b, 0x0b];
  }
}

const get = (local: number): number[] => [0x20, ...unsigned(local)];
const set = (local: number): number[] => [0x21, ...unsigned(local)];
