import { sha256, xxh32 } from "../../../core/io/mod.ts";

/** What `Dataset.fingerprint` tells of stored data: a hash of their bytes, and of the options that decide what is made of them. */
export async function fingerprintOf(
  name: string,
  options: object,
  parts: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>,
): Promise<string> {
  const sums: [bytes: number, sum: number][] = [];
  for await (const { buffer, byteOffset, byteLength } of parts)
    sums.push([byteLength, xxh32(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength))]);
  return sha256(new TextEncoder().encode(JSON.stringify([name, options, sums])));
}
