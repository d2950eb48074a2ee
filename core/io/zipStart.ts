/** The first bytes of a file in a zip archive, without the rest. */
import { type ByteSource, claimedBytes, damaged } from "./byteSource.ts";
import type { ZipEntry } from "./zip.ts";

const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
/** Packed bytes that are enough for so many unpacked ones: incompressible blocks add 5 to each 64 KiB, tables take a few hundred. */
const packedFor = (bytes: number): number => 2 * bytes + 1024;

/**
 * The first `length` bytes of an entry, or all of a shorter one. Nothing is held to the checksum, which is that of the whole.
 * @throws E_DATA when it is encrypted, packed in another way than deflate, or damaged up to there
 */
export async function startOf(source: ByteSource, entry: ZipEntry, length: number): Promise<Uint8Array> {
  const name = `entry ${JSON.stringify(entry.name)}`;
  const local = await claimedBytes(source, entry.at, LOCAL_BYTES);
  const view = new DataView(local.buffer, local.byteOffset, local.byteLength);
  if (view.getUint32(0, true) !== LOCAL) throw damaged(source, `${name} is not where the directory says`);
  if ((view.getUint16(6, true) & 1) !== 0) throw damaged(source, `${name} is encrypted, should be open`);
  const method = view.getUint16(8, true);
  if (method !== 0 && method !== 8)
    throw damaged(source, `${name} is packed by method ${method}, should be stored (0) or deflated (8)`);
  const wanted = Math.min(length, entry.size);
  const start = entry.at + LOCAL_BYTES + view.getUint16(26, true) + view.getUint16(28, true);
  if (method === 0) return claimedBytes(source, start, wanted);
  const packed = await claimedBytes(source, start, Math.min(entry.packed, packedFor(wanted)));
  const content = await inflateStart(packed, wanted);
  if (!content) throw damaged(source, `the content of ${name} does not fit its size and checksum`);
  return content;
}

/** The first bytes of what a raw deflate stream unpacks to; undefined where it is damaged or has fewer. */
async function inflateStart(packed: Uint8Array, length: number): Promise<Uint8Array | undefined> {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const writer = writable.getWriter();
  // Errors of the stream, such as that of its early end, are seen where it is read.
  const ignore = () => {};
  writer.write(packed.slice()).catch(ignore);
  writer.close().catch(ignore);
  const reader = readable.getReader();
  const content = new Uint8Array(length);
  try {
    for (let filled = 0; filled < length; ) {
      const { done, value } = await reader.read();
      if (done) return undefined;
      content.set(value.subarray(0, length - filled), filled);
      filled += value.length;
    }
    return content;
  } catch {
    return undefined;
  } finally {
    reader.cancel().catch(ignore);
  }
}
