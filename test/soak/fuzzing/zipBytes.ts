/** Zip archives as others might write them: sound ones, and such with faults in their fields. */
import { joined } from "../../../core/tensor/mod.ts";
import { type ZipStyle, zipFile } from "../../helpers/zipFile.ts";
import type { Draw } from "./draw.ts";
import { utf8 } from "./draw.ts";

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;

/** The bytes of an archive with these files. */
export function zipBytes(draw: Draw, files: Readonly<Record<string, Uint8Array>>, soundness = 0.6): Uint8Array {
  const style: ZipStyle = {
    deflate: draw.chance(0.5),
    descriptors: draw.chance(0.2),
    large: draw.chance(0.2),
    comment: draw.chance(0.1) ? "a comment" : undefined,
  };
  const bytes = zipFile(files, style);
  if (draw.chance(soundness)) return bytes;
  if (!style.large && !style.comment && draw.chance(0.3)) return sharing(draw, bytes);
  return draw.chance(0.5) ? withOddFields(draw, bytes) : draw.damaged(bytes, 0);
}

/** Fields of headers and directory overwritten, their places known. */
function withOddFields(draw: Draw, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  const marks: number[] = [];
  for (let at = 0; at + 22 <= copy.length; at++)
    if (copy[at] === 0x50 && copy[at + 1] === 0x4b && copy[at + 2] < 8) marks.push(at);
  for (let times = draw.between(1, 2); times > 0 && marks.length > 0; times--) {
    const at = draw.pick(marks) + draw.between(4, 54);
    if (at + 8 > copy.length) continue;
    const odd = draw.pick([0, 1, 0xff, 0xffff, 2 ** 31, 0xfffffffe, 0xffffffff, copy.length, draw.below(copy.length)]);
    if (draw.chance(0.5)) view.setUint16(at, odd & 0xffff, true);
    else if (draw.chance(0.8)) view.setUint32(at, odd, true);
    else view.setBigUint64(at, draw.pick([2n ** 63n, 2n ** 53n + 1n, 2n ** 64n - 1n, BigInt(odd)]), true);
  }
  return copy;
}

/** An archive whose directory names the same bytes many times. */
function sharing(draw: Draw, bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - 22;
  if (end < 0 || view.getUint32(end, true) !== END) return bytes;
  const [size, from] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  const entries: Uint8Array[] = [];
  for (let at = from; at + ENTRY_BYTES <= from + size && view.getUint32(at, true) === ENTRY; ) {
    const length = ENTRY_BYTES + [28, 30, 32].reduce((sum, field) => sum + view.getUint16(at + field, true), 0);
    entries.push(bytes.subarray(at, at + length));
    at += length;
  }
  if (entries.length === 0) return bytes;
  const copies = draw.pick([1, 3, 50, 3000]);
  const taken = draw.pick(entries);
  const head = taken.slice(0, ENTRY_BYTES);
  const extra = taken.subarray(ENTRY_BYTES + new DataView(head.buffer).getUint16(28, true));
  const more = Array.from({ length: copies }, (_, i) => {
    const name = utf8(`${i}${draw.chance(0.5) ? ".npy" : ""}`);
    const own = head.slice();
    new DataView(own.buffer).setUint16(28, name.length, true);
    return joined([own, name, extra]);
  });
  const directory = joined([...entries, ...more]);
  const tail = bytes.slice(end);
  const tailView = new DataView(tail.buffer);
  for (const field of [8, 10]) tailView.setUint16(field, entries.length + copies, true);
  tailView.setUint32(12, directory.length, true);
  return joined([bytes.subarray(0, from), directory, tail]);
}
