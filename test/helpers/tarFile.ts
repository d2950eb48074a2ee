/** Tar archives as their writers make them. */
import { joined } from "../../core/tensor/mod.ts";

/** How a writer makes its archive. */
export interface TarStyle {
  /** Names that do not fit: as GNU writes them, in an extended header of pax, or divided as ustar does. */
  readonly long?: "gnu" | "pax" | "ustar";
  /** An extended header for every entry, as Python writes times with fractions. */
  readonly times?: boolean;
  /** Sizes in an extended header, zero in the entry's own. */
  readonly sizes?: boolean;
  /** Sizes as GNU writes those of 8 GiB and more. */
  readonly binary?: boolean;
  /** Without the blocks of zeros at the end. */
  readonly endless?: boolean;
}

const utf8 = (text: string) => new TextEncoder().encode(text);

/** A header, with its checksum. */
export function tarHeaderBytes(
  name: string,
  size: number,
  type = "0",
  fields: Record<number, string> = {},
): Uint8Array {
  const block = new Uint8Array(512);
  // What does not fit is cut off.
  const put = (at: number, text: string) => block.set(utf8(text).subarray(0, 512 - at), at);
  block.set(utf8(name).subarray(0, 100), 0);
  put(100, "0000644\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(156, type);
  put(257, "ustar\0");
  put(263, "00");
  for (const [at, text] of Object.entries(fields)) put(Number(at), text);
  return withSum(block);
}

/** The block with the checksum that fits it. */
export function withSum(block: Uint8Array): Uint8Array {
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(utf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return block;
}

const padded = (content: Uint8Array) => joined([content, new Uint8Array((512 - (content.length % 512)) % 512)]);

/** A record of an extended header, which counts its own length. */
export function paxRecord(key: string, value: string): Uint8Array {
  const rest = utf8(` ${key}=${value}\n`);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length++;
  return joined([utf8(String(length)), rest]);
}

/** The blocks of an entry. */
export function tarEntryBytes(name: string, content: Uint8Array, style: TarStyle = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const records: Uint8Array[] = [];
  const isLong = utf8(name).length > 100;
  const fields: Record<number, string> = {};
  let short = name;
  if (isLong && style.long === "gnu") {
    const text = utf8(`${name}\0`);
    parts.push(tarHeaderBytes("././@LongLink", text.length, "L"), padded(text));
  }
  if (isLong && style.long === "ustar") {
    const cut = name.lastIndexOf("/");
    fields[345] = name.slice(0, cut);
    short = name.slice(cut + 1);
  }
  if (isLong && style.long === "pax") records.push(paxRecord("path", name));
  if (style.times) records.push(paxRecord("mtime", "1700000000.25"));
  if (style.sizes) records.push(paxRecord("size", String(content.length)));
  if (records.length > 0) {
    const bytes = joined(records);
    parts.push(tarHeaderBytes("./PaxHeaders/x", bytes.length, "x"), padded(bytes));
  }
  const header = tarHeaderBytes(short, style.sizes ? 0 : content.length, "0", fields);
  if (style.binary) {
    const view = new DataView(header.buffer);
    header.fill(0, 124, 136);
    header[124] = 0x80;
    view.setUint32(132, content.length);
    withSum(header);
  }
  return joined([...parts, header, padded(content)]);
}

/** An archive of these files. */
export const tarFile = (files: Readonly<Record<string, Uint8Array>>, style: TarStyle = {}): Uint8Array =>
  joined([
    ...Object.entries(files).map(([name, content]) => tarEntryBytes(name, content, style)),
    new Uint8Array(style.endless ? 0 : 1024),
  ]);
