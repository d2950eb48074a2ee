/** A check sum of bytes; `before` is that of the bytes that come before. */
type CheckSum = (bytes: Uint8Array, before?: number) => number;

/** The check sum of a polynomial whose bits are in reversed order, four bytes at a time. */
function checkSumOf(polynomial: number): CheckSum {
  // Remainders of a byte, then of a byte with one, two and three zero bytes behind it.
  const tables = Array.from({ length: 4 }, () => new Uint32Array(256));
  const [one, two, three, four] = tables;
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    one[byte] = rest;
  }
  for (let byte = 0; byte < 256; byte++)
    for (let k = 1; k < 4; k++) {
      const before = tables[k - 1][byte];
      tables[k][byte] = (before >>> 8) ^ one[before & 255];
    }
  return (bytes, before = 0) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let rest = ~before;
    let at = 0;
    for (; at + 4 <= bytes.length; at += 4) {
      rest ^= view.getUint32(at, true);
      rest = four[rest & 255] ^ three[(rest >>> 8) & 255] ^ two[(rest >>> 16) & 255] ^ one[rest >>> 24];
    }
    for (; at < bytes.length; at++) rest = (rest >>> 8) ^ one[(rest ^ bytes[at]) & 255];
    return ~rest >>> 0;
  };
}

/** CRC-32 of zip, gzip and PNG (ISO 3309). */
export const crc32: CheckSum = /* @__PURE__ */ checkSumOf(0xedb88320);

/** CRC-32C of TFRecord files (Castagnoli's polynomial; RFC 3720, B.4). */
export const crc32c: CheckSum = /* @__PURE__ */ checkSumOf(0x82f63b78);
