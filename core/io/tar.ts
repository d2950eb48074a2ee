/**
 * Tar archives, read by position: ustar, GNU's long names, extended headers of pax. What is packed by gzip is no tar until it is
 * unpacked.
 */
import { type ByteSource, claimedBytes, damaged, inWindows, type StoredFile } from "./byteSource.ts";
import { BLOCK, isTarHeader, isZeroBlock, paxRecords, type TarHeader, tarHeader } from "./tarHeader.ts";

/** A file in an archive. */
export interface TarEntry extends StoredFile {
  readonly size: number;
  readonly at: number;
}

/** No program writes longer names or extended headers. */
const LONGEST_HEADER = 2 ** 20;
/** How far behind the end of an archive is looked for something that a reader would miss. */
const BEHIND = 20 * BLOCK;
/** Types whose content is not a file's: folders, labels of volumes, listings of folders. */
const PASSED_OVER = "5VD";
const REFUSED: Readonly<Record<string, string>> = {
  "1": "a link to another",
  "2": "a link to another",
  "3": "a device",
  "4": "a device",
  "6": "a pipe",
  S: "stored without its holes (sparse)",
  M: "the rest of one in another archive",
};

/** True when the bytes, at least 512, start as a tar archive with an entry does. */
export const isTar = (bytes: Uint8Array): boolean => isTarHeader(bytes);

/** A file by its place, and nothing more: there may be millions. */
class PlacedEntry implements TarEntry {
  readonly name: string;
  readonly size: number;
  readonly at: number;
  readonly #source: ByteSource;
  constructor(source: ByteSource, name: string, at: number, size: number) {
    this.#source = source;
    this.name = name;
    this.at = at;
    this.size = size;
  }
  read(through = this.#source): Promise<Uint8Array> {
    return claimedBytes(through, this.at, this.size);
  }
}

/** What headers before that of an entry say of it. */
interface Said {
  name?: string;
  size?: number;
  isSparse?: boolean;
}

/**
 * The files of an archive, in their order; folders are left out, and two may have one name.
 * @param windows the same bytes, for the headers; small entries beside them can be read through it as well
 * @throws E_DATA for what is no archive, is cut short (with the entry where it ends) or damaged, for links, devices, sparse files
 * and parts of a larger archive
 */
export async function* tarEntries(source: ByteSource, windows = inWindows(source)): AsyncGenerator<TarEntry> {
  const shared: Said = {};
  let said: Said = {};
  let last: string | undefined;
  for (let at = 0; ; ) {
    const where = last === undefined ? "at its beginning" : `after entry ${JSON.stringify(last)}`;
    if (at + BLOCK > source.size)
      throw damaged(source, `it is cut short ${where}: it has ${source.size} bytes and no end mark`);
    const block = await windows.read(at, BLOCK);
    if (isZeroBlock(block)) {
      if (at === 0) throw damaged(source, "it begins with zeros, should be a tar archive with an entry");
      if (Object.keys(said).length > 0)
        throw damaged(source, `it ends ${where} with a header that stands for no entry`);
      return checkBehind(source, at, where);
    }
    const header = tarHeader(source, block, where);
    const data = at + BLOCK;
    const extended = await extension(windows, header, data, where);
    if (extended) {
      Object.assign(header.type === "g" ? shared : said, extended);
      at = data + padded(header.size);
      continue;
    }
    const { name, size, isSparse } = { name: header.name, size: header.size, ...shared, ...said };
    said = {};
    const quoted = JSON.stringify(name);
    const refused = isSparse ? REFUSED.S : REFUSED[header.type];
    if (refused)
      throw damaged(
        source,
        `entry ${quoted} is ${refused}, should be a plain file`,
        "pack it again with --dereference",
      );
    if (!Object.hasOwn(REFUSED, header.type) && !`07${PASSED_OVER}`.includes(header.type))
      throw damaged(source, `entry ${quoted} has type ${JSON.stringify(header.type)}, which is not read`);
    if (data + size > source.size)
      throw damaged(source, `entry ${quoted} is cut short: it has ${source.size - data} of ${size} bytes`);
    // Old writers mark folders by their names alone.
    if (!PASSED_OVER.includes(header.type) && !name.endsWith("/")) yield new PlacedEntry(source, name, data, size);
    last = name;
    at = data + padded(size);
  }
}

const padded = (size: number): number => Math.ceil(size / BLOCK) * BLOCK;

/** What a header says of entries behind it; undefined for a header that is an entry's own. */
async function extension(windows: ByteSource, { type, size }: TarHeader, data: number, where: string) {
  if (!"LKxg".includes(type)) return undefined;
  if (size > LONGEST_HEADER)
    throw damaged(windows, `the header ${where} has ${size} bytes, should have ${LONGEST_HEADER} at most`);
  const content = await claimedBytes(windows, data, size);
  const said: Said = {};
  if (type === "L") said.name = new TextDecoder().decode(content).replace(/\0.*$/s, "");
  if (type === "x" || type === "g") {
    const records = paxRecords(windows, content, where);
    const [path, bytes] = [records.get("path"), records.get("size")];
    if (path !== undefined) said.name = path;
    if (bytes !== undefined) {
      said.size = Number(bytes);
      if (!/^\d+$/.test(bytes) || !Number.isSafeInteger(said.size))
        throw damaged(windows, `the header ${where} says a size that is no number`);
    }
    if ([...records.keys()].some((key) => key.startsWith("GNU.sparse."))) said.isSparse = true;
  }
  return said;
}

/** Two archives joined into one file have an end in the middle, behind which no reader looks. */
async function checkBehind(source: ByteSource, at: number, where: string): Promise<void> {
  const behind = await source.read(at, Math.min(BEHIND, source.size - at));
  if (!isZeroBlock(behind))
    throw damaged(
      source,
      `it has an end mark ${where}, and something behind it`,
      "join archives with `tar --concatenate`, or give each as a file of its own",
    );
}
