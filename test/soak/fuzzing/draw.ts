/** What the cases of fuzzers are made of: all of it follows from seed, parser and number of the case. */
import { hostRandom } from "../../../core/random/hostRandom.ts";
import { joined } from "../../../core/tensor/mod.ts";

/** Texts that have broken readers: names of members that all objects have, numbers that are none, paths, controls. */
const ODD_TEXTS = [
  "",
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "__metadata__",
  "use",
  "off",
  "none",
  "null",
  "NaN",
  "1e999",
  "-0",
  "../../x",
  "/",
  "a/b",
  "x\ny",
  "\u0000",
  "\u001b[2J",
  "\u202e",
  "\ud800",
  "ü",
  "%s",
  " ",
];

/** Numbers as JSON has them, of which no reader should take all. */
const ODD_NUMBERS = [
  "0",
  "-0",
  "-1",
  "1",
  "0.5",
  "1e999",
  "-1e999",
  "1e-400",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "1e300",
];

export class Draw {
  readonly #random: () => number;

  constructor(seed: number, stream: number, number: number) {
    this.#random = hostRandom(seed, number, stream);
  }

  /** A whole number from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor(this.#random() * count);
  }
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }
  chance(part: number): boolean {
    return this.#random() < part;
  }
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }
  list<T>(most: number, make: (i: number) => T): T[] {
    return Array.from({ length: this.below(most + 1) }, (_, i) => make(i));
  }
  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }
  /** Between −1 and 1, and now and then no number at all. */
  float(odd = 0): number {
    return this.chance(odd) ? this.pick([Number.NaN, Infinity, -Infinity, 3e38]) : this.#random() * 2 - 1;
  }

  /** One of `sound`, mostly; else an odd text. */
  text(sound: readonly string[] = ["a", "b", "weight"], odd = 0.2): string {
    if (!this.chance(odd)) return this.pick(sound);
    if (this.chance(0.02)) return this.pick(["a", "\\", '"', "é"]).repeat(this.between(1000, 100_000));
    if (this.chance(0.2)) return new TextDecoder("latin1").decode(this.bytes(this.below(12)));
    return this.pick(ODD_TEXTS);
  }

  /** A JSON value as text, with what `JSON.stringify` would never write: infinite numbers, names that are there twice. */
  json(depth = 3, names: readonly string[] = ["a", "b", "use"]): string {
    const kind = this.below(depth > 0 ? 9 : 6);
    if (kind < 2) return this.pick(ODD_NUMBERS);
    if (kind === 2) return JSON.stringify(this.text(names, 0.6));
    if (kind === 3) return this.pick(["true", "false", "null"]);
    if (kind === 4) return String(this.between(-5, 300));
    if (kind === 5) return this.chance(0.03) ? this.nested() : JSON.stringify(this.text(names));
    if (kind === 6) return `[${this.list(4, () => this.json(depth - 1, names)).join()}]`;
    return `{${this.list(4, () => `${JSON.stringify(this.text(names))}:${this.json(depth - 1, names)}`).join()}}`;
  }
  /** Lists in lists, or objects in objects, deeper than a stack goes. */
  nested(): string {
    const depth = this.pick([50, 500, 5000, 50_000]);
    return this.chance(0.5) ? "[".repeat(depth) + "]".repeat(depth) : `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  }

  /** An object as JSON: these members, some left out, replaced or there twice. `soundness` 1 leaves all as they are. */
  object(members: Readonly<Record<string, string | undefined>>, soundness = 0.9): string {
    const entries = Object.entries(members).flatMap(([name, value]): string[] => {
      if (value === undefined) return [];
      const member = `${JSON.stringify(name)}:${value}`;
      if (this.chance(soundness)) return [member];
      const wrong = `${JSON.stringify(this.chance(0.8) ? name : this.text())}:${this.json()}`;
      return this.pick([[], [wrong], [member, wrong], [wrong]]);
    });
    return `{${entries.join()}}`;
  }

  /** The bytes with some flipped, cut, doubled, inserted or zeroed; often as they are. */
  damaged(bytes: Uint8Array, soundness = 0.4): Uint8Array {
    if (this.chance(soundness)) return bytes;
    let parts = bytes;
    for (let times = this.between(1, 3); times > 0; times--) parts = this.#damagedOnce(parts);
    return parts;
  }
  #damagedOnce(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice();
    const at = this.below(copy.length + 1);
    const length = this.chance(0.5) ? this.between(1, 4) : this.below(copy.length + 1);
    switch (this.below(7)) {
      case 0:
        if (at < copy.length) copy[at] ^= 1 << this.below(8);
        return copy;
      case 1:
        if (at < copy.length) copy[at] = this.pick([0, 1, 127, 128, 255, this.below(256)]);
        return copy;
      case 2:
        return copy.subarray(0, at);
      case 3:
        return copy.fill(this.pick([0, 255, 0x20]), at, at + length);
      case 4:
        return joined([copy.subarray(0, at), this.bytes(this.below(16)), copy.subarray(at)]);
      case 5:
        return joined([copy.subarray(0, at), copy.subarray(at + length)]);
      default:
        return joined([copy.subarray(0, at), copy.subarray(at, at + length), copy.subarray(at)]);
    }
  }
}

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
