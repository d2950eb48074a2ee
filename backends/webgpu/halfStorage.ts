import { invariant } from "../../core/errors.ts";

/** How a kernel reads an element of a binding that is kept in f16, and what it writes there. */
interface Conversion {
  /** Element type of the binding. */
  readonly type: string;
  read(element: string): string;
  write(value: string): string;
}

/** By the element type that the kernel was written for. Kernels that move bits call floats u32. */
const conversions: Readonly<Record<string, Conversion>> = {
  f32: {
    type: "f16",
    read: (element) => `f32(${element})`,
    write: (value) => `f16(${value})`,
  },
  vec4f: {
    type: "vec4<f16>",
    read: (element) => `vec4f(${element})`,
    write: (value) => `vec4<f16>(${value})`,
  },
  u32: {
    type: "f16",
    read: (element) => `bitcast<u32>(f32(${element}))`,
    write: (value) => `f16(bitcast<f32>(${value}))`,
  },
};

/**
 * The same kernel over bindings whose elements are kept in f16: they become f32 where they are read and f16 where they are
 * written, and all that is computed in between stays f32. Lines keep their numbers. What is too large for f16 is written as
 * an infinity.
 * @param names of the bindings, in a source with its libraries
 */
export function withHalfStorage(source: string, names: readonly string[]): string {
  if (names.length === 0) return source;
  const converted = new Map<string, Conversion>();
  const declared = source.replace(
    /(var<storage[^>]*>\s*(\w+)\s*:\s*array<)(\w+)>/g,
    (whole, before: string, name: string, type: string) => {
      if (!names.includes(name)) return whole;
      const conversion = conversions[type];
      invariant(conversion, `an array of ${type} can't be kept in f16`);
      converted.set(name, conversion);
      return `${before}${conversion.type}>`;
    },
  );
  for (const name of names) invariant(converted.has(name), `there is no binding ${name}`);
  return `enable f16; ${new Rewriting(declared, converted).text()}`;
}

/** Walks a source and converts every access to the bindings. */
class Rewriting {
  readonly #source: string;
  readonly #conversions: ReadonlyMap<string, Conversion>;

  constructor(source: string, converted: ReadonlyMap<string, Conversion>) {
    this.#source = source;
    this.#conversions = converted;
  }

  text(): string {
    return this.#between(0, this.#source.length);
  }

  #between(start: number, end: number): string {
    // A comment, or a name with a bracket behind it that is no member of something.
    const access = /\/\/.*|(?<![\w.])(\w+)\[/g;
    access.lastIndex = start;
    let text = "";
    let done = start;
    for (let found = access.exec(this.#source); found; found = access.exec(this.#source)) {
      if (found.index >= end) break;
      const conversion = this.#conversions.get(found[1]);
      if (!conversion) continue;
      const converted = this.#access(found[1], access.lastIndex, conversion);
      text += this.#source.slice(done, found.index) + converted.text;
      done = converted.end;
      access.lastIndex = done;
    }
    return text + this.#source.slice(done, end);
  }

  /** An access whose index starts at `index`, and where it ends: a write goes on to its semicolon. */
  #access(name: string, index: number, { read, write }: Conversion) {
    const close = this.#closing(index);
    const element = `${name}[${this.#between(index, close)}]`;
    const assignment = /^\s*([-+*/]?)=(?!=)\s*/.exec(this.#source.slice(close + 1));
    if (!assignment) return { text: read(element), end: close + 1 };
    const [{ length }, operator] = assignment;
    const start = close + 1 + length;
    const end = this.#source.indexOf(";", start);
    const value = this.#between(start, end);
    const whole = operator ? `${read(element)} ${operator} (${value})` : value;
    return { text: `${element} = ${write(whole)}`, end };
  }

  /** Place of the bracket that closes the one before `start`. */
  #closing(start: number): number {
    let depth = 1;
    for (let at = start; at < this.#source.length; at++) {
      if (this.#source[at] === "[") depth++;
      if (this.#source[at] === "]" && --depth === 0) return at;
    }
    invariant(false, "a bracket is not closed");
  }
}
