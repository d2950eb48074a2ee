import { failure } from "../errors.ts";
import { gzipMembers } from "./gzipMembers.ts";

/** True when the bytes start as a gzip stream does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Members that hold something; a file in blocks of 64 KiB, as some tools write them, has 16 for each MiB. */
const MOST_MEMBERS = 4000;

/**
 * The content of a gzip file, of all its members one after another (RFC 1952, section 2.2), which zeros may follow; at most
 * `limit(head)` bytes of it and a piece more, where `head` is what has been unpacked so far: a small file that would unpack into
 * gigabytes stops there. `file` names the source in errors. Throws E_DATA for a damaged or truncated file.
 */
export async function gunzip(
  bytes: Uint8Array,
  file: string,
  limit: (head: Uint8Array) => number,
): Promise<Uint8Array> {
  const refuse = (why: string, cause?: unknown) =>
    failure("E_DATA", `Cannot unpack ${file}: ${why}`, { cause, fix: "download the file again" });
  // Runtimes differ in what they make of a second member and of padding: some go on, some stop, some refuse.
  const damaged = (cause?: unknown) => refuse("the gzip stream is damaged or ends early, should be complete", cause);
  const whole = await new Unpacking(limit).add(bytes);
  if (whole.end === "limit" || (whole.end === "done" && whole.content.length % 2 ** 32 === statedSize(bytes)))
    return whole.content;
  const members = gzipMembers(bytes);
  if (!members) throw damaged(whole.cause);
  if (members.length > MOST_MEMBERS)
    throw refuse(`it has ${members.length} gzip members, should have at most ${MOST_MEMBERS}`);
  if (whole.end === "done" && whole.content.length === members.reduce((sum, { size }) => sum + size, 0))
    return whole.content;
  const unpacking = new Unpacking(limit);
  for (const { begin, end } of members) {
    const part = await unpacking.add(bytes.subarray(begin, end));
    if (part.end === "damage") throw damaged(part.cause);
    if (part.end === "limit") break;
  }
  return unpacking.content;
}

/** The last four bytes: the size of what the last member unpacks to, modulo 2³². */
const statedSize = (bytes: Uint8Array): number =>
  bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset + bytes.length - 4).getUint32(0, true);

/** What has been unpacked, and why no more. */
interface Unpacked {
  readonly content: Uint8Array;
  readonly end: "done" | "limit" | "damage";
  readonly cause?: unknown;
}

/** Unpacks streams one after another into one array. */
class Unpacking {
  readonly #limit: (head: Uint8Array) => number;
  #room = new Uint8Array(0);
  #length = 0;

  constructor(limit: (head: Uint8Array) => number) {
    this.#limit = limit;
  }
  get content(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }
  /** Unpacks a stream; rejects with what `limit` throws. */
  async add(bytes: Uint8Array): Promise<Unpacked> {
    const reader = inPieces(bytes).pipeThrough(new DecompressionStream("gzip")).getReader();
    let cause: unknown;
    for (;;) {
      const read = await reader.read().catch((error) => {
        cause = error;
        return undefined;
      });
      if (!read) return { content: this.content, end: "damage", cause };
      if (read.done) return { content: this.content, end: "done" };
      this.#append(read.value);
      if (this.#length > this.#limit(this.content)) {
        await reader.cancel();
        return { content: this.content, end: "limit" };
      }
    }
  }
  #append(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#room.length) {
      const larger = new Uint8Array(Math.max(2 * this.#room.length, length));
      larger.set(this.content);
      this.#room = larger;
    }
    this.#room.set(piece, this.#length);
    this.#length = length;
  }
}

/** Deno unpacks all of a piece at once, to up to 1032 times its size, before it gives any of it out. */
const PIECE = 8192;

function inPieces(bytes: Uint8Array): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += PIECE)));
    },
  });
}
