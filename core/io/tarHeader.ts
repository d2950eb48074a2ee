/** The blocks that stand before the files of a tar archive. POSIX.1-2017, "pax Interchange Format" and "ustar"; GNU's long names. */
import { type ByteSource, damaged } from "./byteSource.ts";

/** Headers and contents begin at multiples of it. */
export const BLOCK = 512;

/** What a header says. */
export interface TarHeader {
  readonly name: string;
  /** Bytes of the content, which fills whole blocks. */
  readonly size: number;
  /** One letter: "0" for a file; "\0" of old writers is given as "0". */
  readonly type: string;
}

/** Letters of a field of text, up to its first NUL. */
function textOf(block: Uint8Array, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

/** A number as octal digits, or as GNU writes those that do not fit: a set bit, then a big-endian number of 11 bytes. */
function numberOf(block: Uint8Array, from: number, length: number): number | undefined {
  const field = block.subarray(from, from + length);
  // The first byte is 0x80 of positive numbers, 0xff of negative ones.
  if (field[0] & 0x80)
    return field[0] === 0x80 ? field.subarray(1).reduce((sum, byte) => sum * 256 + byte, 0) : undefined;
  const digits = textOf(block, from, length).trim();
  return /^[0-7]*$/.test(digits) ? Number.parseInt(digits || "0", 8) : undefined;
}

/** Place and length of the checksum, which counts as spaces in its own sum. */
const [SUM, SUM_BYTES] = [148, 8];

/** The sum of all bytes as the standard has it; some old writers took them as signed. */
function isSum(block: Uint8Array, stated: number | undefined): boolean {
  let [sum, signed] = [0, 0];
  for (let i = 0; i < BLOCK; i++) {
    const byte = i >= SUM && i < SUM + SUM_BYTES ? 0x20 : block[i];
    sum += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stated === sum || stated === signed;
}

/** Whether a block is a header, by its checksum. */
export const isTarHeader = (block: Uint8Array): boolean =>
  block.length >= BLOCK && block[0] !== 0 && isSum(block, numberOf(block, SUM, SUM_BYTES));

export const isZeroBlock = (block: Uint8Array): boolean => block.every((byte) => byte === 0);

/**
 * What a block says that should be a header.
 * @param where what messages call its place, such as `after entry "a.png"`
 * @throws E_DATA for a wrong checksum, or a size that is no number
 */
export function tarHeader(source: ByteSource, block: Uint8Array, where: string): TarHeader {
  if (!isSum(block, numberOf(block, SUM, SUM_BYTES)))
    throw damaged(source, `the header ${where} does not fit its checksum`);
  const magic = textOf(block, 257, 8);
  // GNU's own form has times where ustar has the beginning of the path.
  const prefix = magic.startsWith("ustar") && !magic.startsWith("ustar ") ? textOf(block, 345, 155) : "";
  const name = prefix === "" ? textOf(block, 0, 100) : `${prefix}/${textOf(block, 0, 100)}`;
  const size = numberOf(block, 124, 12);
  if (!Number.isSafeInteger(size)) throw damaged(source, `entry ${JSON.stringify(name)} has a size that is no number`);
  return { name, size: size!, type: block[156] === 0 ? "0" : String.fromCharCode(block[156]) };
}

/**
 * The records of an extended header, "LENGTH KEYWORD=VALUE\n" each, where LENGTH counts the bytes of the whole record.
 * @throws E_DATA for records that are not of this form
 */
export function paxRecords(source: ByteSource, bytes: Uint8Array, where: string): Map<string, string> {
  const records = new Map<string, string>();
  const refuse = () => damaged(source, `the extended header ${where} is damaged`);
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = space < 0 || space - at > 10 ? "" : new TextDecoder().decode(bytes.subarray(at, space));
    const end = at + Number(digits);
    if (!/^[1-9]\d*$/.test(digits) || end > bytes.length || end <= space + 1 || bytes[end - 1] !== 0x0a) throw refuse();
    const equals = bytes.indexOf(0x3d, space);
    if (equals < 0 || equals >= end) throw refuse();
    const [key, value] = [bytes.subarray(space + 1, equals), bytes.subarray(equals + 1, end - 1)];
    records.set(new TextDecoder().decode(key), new TextDecoder().decode(value));
    at = end;
  }
  return records;
}
