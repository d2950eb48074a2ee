import { invariant } from "../../core/errors.ts";

/** WGSL that replaces the accesses to one binding of a kernel. */
export interface AccessRule {
  /** An element that is read, by the text of its index. */
  read(index: string): string;
  /** A whole assignment to an element, without its semicolon. */
  write(index: string, value: string): string;
}

/**
 * The same source with the accesses to some bindings replaced. Lines keep their numbers.
 * @param rules by the name of the binding
 */
export const rewriteAccesses = (source: string, rules: ReadonlyMap<string, AccessRule>): string =>
  new Rewriting(source, rules).text();

/** Walks a source and converts every access to the bindings. */
class Rewriting {
  readonly #source: string;
  readonly #rules: ReadonlyMap<string, AccessRule>;

  constructor(source: string, rules: ReadonlyMap<string, AccessRule>) {
    this.#source = source;
    this.#rules = rules;
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
      const rule = this.#rules.get(found[1]);
      if (!rule) continue;
      const converted = this.#access(access.lastIndex, rule);
      text += this.#source.slice(done, found.index) + converted.text;
      done = converted.end;
      access.lastIndex = done;
    }
    return text + this.#source.slice(done, end);
  }

  /** An access whose index starts at `at`, and where it ends: a write goes on to its semicolon. */
  #access(at: number, { read, write }: AccessRule) {
    const close = this.#closing(at);
    const index = this.#between(at, close);
    const assignment = /^\s*([-+*/]?)=(?!=)\s*/.exec(this.#source.slice(close + 1));
    if (!assignment) return { text: read(index), end: close + 1 };
    const [{ length }, operator] = assignment;
    const start = close + 1 + length;
    const end = this.#source.indexOf(";", start);
    const value = this.#between(start, end);
    return { text: write(index, operator ? `${read(index)} ${operator} (${value})` : value), end };
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
