/**
 * Zip archives, read by their central directory: PyTorch's checkpoints, NumPy's `.npz`, data sets of pictures. Entries may be
 * stored or deflated, larger than 4 GiB, and written by streams. APPNOTE.TXT 6.3.10 of PKWARE.
 */
import { type ByteSource, claimedBytes, damaged, type StoredFile } from "./byteSource.ts";
import { crc32 } from "./crc32.ts";
import { inflate, inflateStart } from "./inflate.ts";

/** A file in an archive. Its content is held to size and checksum; one that is encrypted or packed in another way is refused. */
export interface ZipEntry extends StoredFile {
  /** Bytes of its content, unpacked. */
  readonly size: number;
  /** Bytes that it takes in the archive. */
  readonly packed: number;
  readonly at: number;
  /**
   * The first `length` bytes of its content, or all of a shorter one, without the rest. They are not held to the checksum, which is
   * that of the whole.
   */
  start(length: number): Promise<Uint8Array>;
}

const END = 0x06054b50;
const END_BYTES = 22;
const END_64 = 0x06064b50;
const END_64_BYTES = 56;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** The longest comment that an archive may end with. */
const COMMENT_BYTES = 0xffff;
/** Deflate packs no better than this. */
const BEST_RATIO = 1032;

/** True when the bytes start as a zip archive does, with an entry or with none. */
export const isZip = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x50 && bytes[1] === 0x4b && ((bytes[2] === 3 && bytes[3] === 4) || (bytes[2] === 5 && bytes[3] === 6));

/**
 * The entries of an archive by name, in their order; folders are left out. The record has no prototype.
 * @throws E_DATA for what is no archive, is cut short or contradicts itself, or has two entries of one name
 */
export async function openZip(source: ByteSource): Promise<Record<string, ZipEntry>> {
  const { at, size, count } = await directoryOf(source);
  const bytes = await claimedBytes(source, at, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Record<string, ZipEntry> = Object.create(null);
  let offset = 0;
  let packed = 0;
  for (let i = 0; i < count; i++) {
    if (offset + ENTRY_BYTES > size || view.getUint32(offset, true) !== ENTRY)
      throw damaged(source, `its directory ends after ${i} of ${count} entries`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(offset + field, true));
    const next = offset + ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (next > size) throw damaged(source, `its directory ends inside entry ${i} of ${count}`);
    const name = new TextDecoder().decode(bytes.subarray(offset + ENTRY_BYTES, offset + ENTRY_BYTES + nameBytes));
    const extra = bytes.subarray(offset + ENTRY_BYTES + nameBytes, offset + ENTRY_BYTES + nameBytes + extraBytes);
    const place = placeOf(source, name, new DataView(bytes.buffer, bytes.byteOffset + offset, ENTRY_BYTES), extra);
    packed += place.packed;
    // A few bytes that many entries share would unpack without end.
    if (packed > source.size) throw damaged(source, "its entries claim more bytes than it has");
    if (name in entries) throw damaged(source, `it has two entries ${JSON.stringify(name)}`);
    if (!name.endsWith("/")) entries[name] = place;
    offset = next;
  }
  return entries;
}

interface Directory {
  readonly at: number;
  readonly size: number;
  readonly count: number;
}

/** Where the directory lies, which the last bytes of an archive say. */
async function directoryOf(source: ByteSource): Promise<Directory> {
  const tailBytes = Math.min(source.size, END_BYTES + COMMENT_BYTES + LOCATOR_BYTES);
  const start = source.size - tailBytes;
  const tail = await source.read(start, tailBytes);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let end = tailBytes - END_BYTES;
  const isEnd = (at: number) =>
    view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === tailBytes;
  while (end >= 0 && !isEnd(end)) end--;
  if (end < 0) throw damaged(source, "it is no complete zip archive: the record at its end is missing");
  const short = {
    count: view.getUint16(end + 10, true),
    size: view.getUint32(end + 12, true),
    at: view.getUint32(end + 16, true),
  };
  const locator = end - LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== LOCATOR) return short;
  const at = Number(view.getBigUint64(locator + 8, true));
  const long = await claimedBytes(source, at, END_64_BYTES);
  const longView = new DataView(long.buffer, long.byteOffset, long.byteLength);
  if (longView.getUint32(0, true) !== END_64) throw damaged(source, "its record of large archives is missing");
  const [count, size, from] = [32, 40, 48].map((field) => Number(longView.getBigUint64(field, true)));
  return { count, size, at: from };
}

/** What the directory says of an entry, and nothing more: there may be millions. */
class PlacedEntry implements ZipEntry {
  readonly name: string;
  readonly size: number;
  /** Of the entry's own header. */
  readonly at: number;
  readonly packed: number;
  readonly #method: number;
  readonly #isEncrypted: boolean;
  readonly #checksum: number;
  readonly #source: ByteSource;

  constructor(source: ByteSource, name: string, view: DataView, sizes: { size: number; packed: number; at: number }) {
    this.#source = source;
    this.name = name;
    this.size = sizes.size;
    this.at = sizes.at;
    this.packed = sizes.packed;
    this.#method = view.getUint16(10, true);
    this.#isEncrypted = (view.getUint16(8, true) & 1) !== 0;
    this.#checksum = view.getUint32(16, true);
  }

  async read(source = this.#source): Promise<Uint8Array> {
    const packed = await claimedBytes(source, await this.#begin(source), this.packed);
    const content = this.#method === 0 ? packed : await inflate("deflate-raw", [packed], this.size);
    if (content?.length !== this.size || crc32(content) !== this.#checksum) throw this.#unfit(source);
    return content;
  }

  async start(length: number): Promise<Uint8Array> {
    const source = this.#source;
    const begin = await this.#begin(source);
    const wanted = Math.min(length, this.size);
    if (this.#method === 0) return claimedBytes(source, begin, wanted);
    const packed = await claimedBytes(source, begin, Math.min(this.packed, packedFor(wanted)));
    const content = await inflateStart(packed, wanted);
    if (!content) throw this.#unfit(source);
    return content;
  }

  /** Where its content begins. Throws E_DATA for one that can't be read. */
  async #begin(source: ByteSource): Promise<number> {
    const name = this.#told;
    if (this.#isEncrypted) throw damaged(source, `${name} is encrypted, should be open`);
    if (this.#method !== 0 && this.#method !== 8)
      throw damaged(source, `${name} is packed by method ${this.#method}, should be stored (0) or deflated (8)`);
    const local = await claimedBytes(source, this.at, LOCAL_BYTES);
    const view = new DataView(local.buffer, local.byteOffset, local.byteLength);
    if (view.getUint32(0, true) !== LOCAL) throw damaged(source, `${name} is not where the directory says`);
    return this.at + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  }

  get #told(): string {
    return `entry ${JSON.stringify(this.name)}`;
  }

  #unfit(source: ByteSource) {
    return damaged(source, `the content of ${this.#told} does not fit its size and checksum`);
  }
}

/** Packed bytes that are enough for so many unpacked ones: incompressible blocks add 5 to each 64 KiB, tables take a few hundred. */
const packedFor = (bytes: number): number => 2 * bytes + 1024;

/** What an entry of the directory says; fields that do not fit are in the extra field 1, in the order of their places. */
function placeOf(source: ByteSource, name: string, view: DataView, extra: Uint8Array): PlacedEntry {
  const fields = {
    size: view.getUint32(24, true),
    packed: view.getUint32(20, true),
    at: view.getUint32(42, true),
  };
  const large = (Object.keys(fields) as (keyof typeof fields)[]).filter((field) => fields[field] === 0xffffffff);
  if (large.length > 0) {
    const numbers = largeNumbers(extra);
    if (numbers.length < large.length)
      throw damaged(source, `entry ${JSON.stringify(name)} does not say how large it is`);
    for (const [i, field] of large.entries()) fields[field] = numbers[i];
  }
  const { size, packed } = fields;
  if (view.getUint16(10, true) === 0 ? size !== packed : size > packed * BEST_RATIO)
    throw damaged(source, `entry ${JSON.stringify(name)} claims ${size} bytes out of ${packed}`);
  return new PlacedEntry(source, name, view, fields);
}

function largeNumbers(extra: Uint8Array): number[] {
  const view = new DataView(extra.buffer, extra.byteOffset, extra.byteLength);
  for (let at = 0; at + 4 <= extra.length; ) {
    const [id, length] = [view.getUint16(at, true), view.getUint16(at + 2, true)];
    const end = Math.min(at + 4 + length, extra.length);
    if (id === 1) {
      const numbers: number[] = [];
      for (let i = at + 4; i + 8 <= end; i += 8) numbers.push(Number(view.getBigUint64(i, true)));
      return numbers;
    }
    at = end;
  }
  return [];
}
