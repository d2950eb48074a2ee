/** Deflated data, unpacked by the runtime's own `DecompressionStream`. */

/**
 * What a stream unpacks to, if that is `length` bytes; undefined where it is damaged or has more or fewer. More than that is
 * neither unpacked nor kept.
 * @param parts of the stream, in order: raw deflate (RFC 1951), or "deflate" within zlib's frame (RFC 1950)
 */
export async function inflate(
  format: "deflate" | "deflate-raw",
  parts: readonly Uint8Array[],
  length: number,
): Promise<Uint8Array | undefined> {
  const content = new Uint8Array(length);
  let filled = 0;
  for await (const piece of unpacked(format, parts)) {
    if (!piece || filled + piece.length > length) return undefined;
    content.set(piece, filled);
    filled += piece.length;
  }
  return filled === length ? content : undefined;
}

/** The first `length` bytes of what a raw stream unpacks to; undefined where it is damaged up to there, or has fewer. */
export async function inflateStart(part: Uint8Array, length: number): Promise<Uint8Array | undefined> {
  const content = new Uint8Array(length);
  let filled = 0;
  if (length === 0) return content;
  for await (const piece of unpacked("deflate-raw", [part])) {
    if (!piece) return undefined;
    content.set(piece.subarray(0, length - filled), filled);
    filled += piece.length;
    if (filled >= length) return content;
  }
  return undefined;
}

/** The pieces of a stream; undefined in place of one that is damaged. Who asks for no more of them ends the stream. */
async function* unpacked(
  format: "deflate" | "deflate-raw",
  parts: readonly Uint8Array[],
): AsyncGenerator<Uint8Array | undefined> {
  const { readable, writable } = new DecompressionStream(format);
  const writer = writable.getWriter();
  // Errors of the stream, such as that of its early end, are seen where it is read.
  const ignore = () => {};
  for (const part of parts) writer.write(part.slice()).catch(ignore);
  writer.close().catch(ignore);
  const reader = readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch {
    yield undefined;
  } finally {
    reader.cancel().catch(ignore);
  }
}
