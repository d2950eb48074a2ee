/**
 * Where the members of a gzip file begin and end (RFC 1952). A runtime's own unpacking does not tell where a deflate stream ends,
 * and runtimes differ in what they make of a second member; so the streams are walked through here, without unpacking them.
 */

/** A member that holds something, and the bytes that it unpacks to. */
export interface GzipMember {
  readonly begin: number;
  readonly end: number;
  readonly size: number;
}

/** Bits that a code is looked up by at once; longer ones, which are rare, are searched for. */
const LOOKUP = 9;
const LONGEST = 15;

/** Codes of an alphabet, as RFC 1951, section 3.2.2, numbers them. */
interface Codes {
  /** By the next bits: symbol × 16 + length, or 0 where the code is longer. */
  readonly short: Uint16Array;
  /** How many codes there are of each length, and the symbols by their codes. */
  readonly counts: Uint16Array;
  readonly symbols: Uint16Array;
}

/** Extra bits after the symbols of lengths from 257 on, and what the lengths begin at; the same for distances. */
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
/** The order in which lengths of codes for lengths of codes are written. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** The members of a file that hold something; undefined where it is damaged or ends early, or something else follows them. */
export function gzipMembers(bytes: Uint8Array): GzipMember[] | undefined {
  const members: GzipMember[] = [];
  try {
    for (let begin = 0; begin < bytes.length; ) {
      const data = headerEnd(bytes, begin);
      const { end, size } = deflateEnd(bytes, data);
      const next = end + 8;
      if (next > bytes.length) return undefined;
      if (size > 0) members.push({ begin, end: next, size });
      else if (bytes.subarray(end, next).some((byte) => byte !== 0)) return undefined;
      begin = next;
      // Padding to whole blocks, as tapes and archives have it.
      while (bytes[begin] === 0) begin++;
    }
  } catch (error) {
    if (error instanceof Damaged) return undefined;
    throw error;
  }
  return members;
}

class Damaged extends Error {}

/** The place of the data behind the header at `begin`. */
function headerEnd(bytes: Uint8Array, begin: number): number {
  const [FHCRC, FEXTRA, FNAME, FCOMMENT, RESERVED] = [2, 4, 8, 16, 0xe0];
  const flags = bytes[begin + 3];
  const isHeader = bytes[begin] === 0x1f && bytes[begin + 1] === 0x8b && bytes[begin + 2] === 8 && !(flags & RESERVED);
  if (!isHeader) throw new Damaged();
  let at = begin + 10;
  if (flags & FEXTRA) at += 2 + bytes[at] + 256 * bytes[at + 1];
  for (const flag of [FNAME, FCOMMENT])
    if (flags & flag) {
      at = bytes.indexOf(0, at) + 1;
      if (at === 0) throw new Damaged();
    }
  if (flags & FHCRC) at += 2;
  if (!(at < bytes.length)) throw new Damaged();
  return at;
}

/** The bits of a deflate stream, the lowest of each byte first. */
class Bits {
  readonly #bytes: Uint8Array;
  #at: number;
  #word = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }
  /** The next bits, at least as many as asked for; zeros stand behind the end. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#word |= (this.#bytes[this.#at++] ?? 0) << this.#count;
      this.#count += 8;
    }
    return this.#word;
  }
  skip(count: number): void {
    this.#word >>>= count;
    this.#count -= count;
    if (this.place > this.#bytes.length) throw new Damaged();
  }
  take(count: number): number {
    const value = this.peek(count) & ((1 << count) - 1);
    this.skip(count);
    return value;
  }
  /** The byte after the last that was begun. */
  get place(): number {
    return this.#at - (this.#count >> 3);
  }
  /** Goes to a byte. */
  goTo(place: number): void {
    [this.#at, this.#word, this.#count] = [place, 0, 0];
    if (place > this.#bytes.length) throw new Damaged();
  }
}

/** Where the deflate stream that begins at `at` ends, and what it unpacks to, in bytes. RFC 1951. */
function deflateEnd(bytes: Uint8Array, at: number): { end: number; size: number } {
  const bits = new Bits(bytes, at);
  let size = 0;
  for (let last = 0; !last; ) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind === 3) throw new Damaged();
    size += kind === 0 ? stored(bytes, bits) : packed(bits, kind === 1 ? fixed() : dynamic(bits));
  }
  return { end: bits.place, size };
}

function stored(bytes: Uint8Array, bits: Bits): number {
  const at = bits.place;
  const length = bytes[at] + 256 * bytes[at + 1];
  if (length + bytes[at + 2] + 256 * bytes[at + 3] !== 0xffff) throw new Damaged();
  bits.goTo(at + 4 + length);
  return length;
}

function packed(bits: Bits, [literals, distances]: readonly [Codes, Codes]): number {
  for (let size = 0; ; ) {
    const symbol = next(bits, literals);
    if (symbol < 256) size++;
    else if (symbol === 256) return size;
    else {
      const place = symbol - 257;
      if (place >= LENGTHS.length) throw new Damaged();
      size += LENGTHS[place] + bits.take(LENGTH_BITS[place]);
      const distance = next(bits, distances);
      if (distance > 29) throw new Damaged();
      bits.take(distance < 4 ? 0 : (distance >> 1) - 1);
    }
  }
}

function next(bits: Bits, { short, counts, symbols }: Codes): number {
  const word = bits.peek(LONGEST);
  const found = short[word & ((1 << LOOKUP) - 1)];
  if (found > 0) {
    bits.skip(found & 15);
    return found >> 4;
  }
  // Codes of one length follow one another; those of the next begin at twice the end.
  let [code, first, index] = [0, 0, 0];
  for (let length = 1; length <= LONGEST; length++) {
    code |= (word >> (length - 1)) & 1;
    if (code - first < counts[length]) {
      bits.skip(length);
      return symbols[index + code - first];
    }
    index += counts[length];
    first = (first + counts[length]) << 1;
    code <<= 1;
  }
  throw new Damaged();
}

/** The codes of these lengths, one for each symbol; 0 for a symbol that does not occur. */
function codesOf(lengths: ArrayLike<number>): Codes {
  const counts = new Uint16Array(LONGEST + 1);
  for (let i = 0; i < lengths.length; i++) counts[lengths[i]]++;
  counts[0] = 0;
  const [firsts, places] = [new Uint16Array(LONGEST + 1), new Uint16Array(LONGEST + 1)];
  for (let length = 1, code = 0, place = 0; length <= LONGEST; length++) {
    [firsts[length], places[length]] = [code, place];
    place += counts[length];
    code = (code + counts[length]) << 1;
    if (code > 2 << length) throw new Damaged();
  }
  const symbols = new Uint16Array(lengths.length);
  const short = new Uint16Array(1 << LOOKUP);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol];
    if (length === 0) continue;
    symbols[places[length]++] = symbol;
    const code = firsts[length]++;
    if (length > LOOKUP) continue;
    let start = 0;
    for (let bit = 0; bit < length; bit++) if ((code >> bit) & 1) start |= 1 << (length - 1 - bit);
    for (let i = start; i < short.length; i += 1 << length) short[i] = symbol * 16 + length;
  }
  return { short, counts, symbols };
}

let known: readonly [Codes, Codes] | undefined;
function fixed(): readonly [Codes, Codes] {
  const lengths = Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  known ??= [codesOf(lengths), codesOf(new Uint8Array(30).fill(5))];
  return known;
}

function dynamic(bits: Bits): readonly [Codes, Codes] {
  const [literals, distances, count] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  const own = new Uint8Array(19);
  for (let i = 0; i < count; i++) own[ORDER[i]] = bits.take(3);
  const codes = codesOf(own);
  const lengths = new Uint8Array(literals + distances);
  for (let i = 0; i < lengths.length; ) {
    const symbol = next(bits, codes);
    if (symbol < 16) lengths[i++] = symbol;
    else {
      if (symbol === 16 && i === 0) throw new Damaged();
      const value = symbol === 16 ? lengths[i - 1] : 0;
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
      if (i + times > lengths.length) throw new Damaged();
      lengths.fill(value, i, i + times);
      i += times;
    }
  }
  return [codesOf(lengths.subarray(0, literals)), codesOf(lengths.subarray(literals))];
}
