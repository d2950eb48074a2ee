/** XXH32 by Yann Collet: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, seed 0. */

const P1 = 0x9e3779b1 | 0;
const P2 = 0x85ebca77 | 0;
const P3 = 0xc2b2ae3d | 0;
const P4 = 0x27d4eb2f | 0;
const P5 = 0x165667b1 | 0;

/**
 * A checksum of 32 bits against damage by accident: any change within four aligned bytes, so any flipped bit, changes it. It
 * takes a seventh of the time of SHA-256, which counts where gigabytes are stored every few minutes. Little-endian machines.
 */
export function xxh32(bytes: Uint8Array): number {
  const { length } = bytes;
  // Words need an aligned offset; copies have one.
  const { buffer, byteOffset } = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const words = new Int32Array(buffer, byteOffset, Math.floor(length / 4));
  const inLanes = words.length - (words.length % 4);
  let hash = length < 16 ? P5 : lanes(words, inLanes);
  hash = (hash + length) | 0;
  for (let i = inLanes; i < words.length; i++) hash = Math.imul(rotate((hash + Math.imul(words[i], P3)) | 0, 17), P4);
  for (let i = words.length * 4; i < length; i++)
    hash = Math.imul(rotate((hash + Math.imul(bytes[i], P5)) | 0, 11), P1);
  hash = Math.imul(hash ^ (hash >>> 15), P2);
  hash = Math.imul(hash ^ (hash >>> 13), P3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Four accumulators, each over every fourth word. */
function lanes(words: Int32Array, end: number): number {
  let [a, b, c, d] = [(P1 + P2) | 0, P2, 0, -P1 | 0];
  for (let i = 0; i < end; i += 4) {
    a = Math.imul(rotate((a + Math.imul(words[i], P2)) | 0, 13), P1);
    b = Math.imul(rotate((b + Math.imul(words[i + 1], P2)) | 0, 13), P1);
    c = Math.imul(rotate((c + Math.imul(words[i + 2], P2)) | 0, 13), P1);
    d = Math.imul(rotate((d + Math.imul(words[i + 3], P2)) | 0, 13), P1);
  }
  return (rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)) | 0;
}

const rotate = (word: number, by: number): number => (word << by) | (word >>> (32 - by));
