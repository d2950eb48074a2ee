import { deflateRawSync } from "node:zlib";
import { crc32 } from "../../core/io/mod.ts";
import { joined } from "../../core/tensor/mod.ts";

/** How a writer makes its archive. */
export interface ZipStyle {
  readonly deflate?: boolean;
  /** As streams are written: sizes and checksum come after the content. */
  readonly descriptors?: boolean;
  /** Sizes and places in fields of 64 bits, whether they need them or not. */
  readonly large?: boolean;
  readonly comment?: string;
}

/** A zip archive of these files. */
export function zipFile(files: Readonly<Record<string, Uint8Array>>, style: ZipStyle = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const put = (to: Uint8Array[], ...bytes: Uint8Array[]) => {
    to.push(...bytes);
    if (to === parts) at += bytes.reduce((sum, { length }) => sum + length, 0);
  };
  for (const [name, content] of Object.entries(files)) {
    const packed = style.deflate ? new Uint8Array(deflateRawSync(content)) : content;
    const [method, flags, sum] = [style.deflate ? 8 : 0, style.descriptors ? 8 : 0, crc32(content)];
    const text = new TextEncoder().encode(name);
    const start = at;
    const known = style.descriptors ? [0, 0, 0] : [sum, packed.length, content.length];
    put(
      parts,
      numbers("4 2 2 2 2 2 4 4 4 2 2", [0x04034b50, 20, flags, method, 0, 0, ...known, text.length, 0]),
      text,
      packed,
    );
    if (style.descriptors) put(parts, numbers("4 4 4 4", [0x08074b50, sum, packed.length, content.length]));
    const extra = style.large ? numbers("2 2 8 8 8", [1, 24, content.length, packed.length, start]) : new Uint8Array();
    const sizes = style.large ? [0xffffffff, 0xffffffff] : [packed.length, content.length];
    const fields = [0x02014b50, 20, 20, flags, method, 0, 0, sum, ...sizes, text.length, extra.length, 0, 0, 0, 0];
    const place = style.large ? 0xffffffff : start;
    put(directory, numbers("4 2 2 2 2 2 2 4 4 4 2 2 2 2 2 4 4", [...fields, place]), text, extra);
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const count = Object.keys(files).length;
  const from = at;
  put(parts, ...directory);
  const end = at;
  if (style.large) {
    put(parts, numbers("4 8 2 2 4 4 8 8 8 8", [0x06064b50, 44, 45, 45, 0, 0, count, count, size, from]));
    put(parts, numbers("4 4 8 4", [0x07064b50, 0, end, 1]));
  }
  const comment = new TextEncoder().encode(style.comment ?? "");
  put(parts, numbers("4 2 2 2 2 4 4 2", [0x06054b50, 0, 0, count, count, size, from, comment.length]), comment);
  return joined(parts);
}

/** Little-endian numbers of so many bytes each. */
function numbers(widths: string, values: readonly number[]): Uint8Array {
  return joined(
    widths.split(" ").map((width, i) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(values[i]), true);
      return bytes.subarray(0, Number(width));
    }),
  );
}
