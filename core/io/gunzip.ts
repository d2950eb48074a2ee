import { failure } from "../errors.ts";

/** True when the bytes start as a gzip stream does. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/**
 * The content of a gzip stream, at most `limit(head)` bytes of it and one more, where `head` is what has been unpacked
 * so far: a small file that would unpack into gigabytes stops there. `file` names the source in errors. Throws E_DATA for
 * a damaged or truncated stream.
 */
export async function gunzip(
  bytes: Uint8Array,
  file: string,
  limit: (head: Uint8Array) => number,
): Promise<Uint8Array> {
  const reader = inPieces(bytes).pipeThrough(new DecompressionStream("gzip")).getReader();
  let content = new Uint8Array(0);
  let length = 0;
  for (;;) {
    const { done, value: chunk } = await reader.read().catch((cause) => {
      throw failure("E_DATA", `Cannot unpack ${file}: the gzip stream is damaged or ends early, should be complete`, {
        cause,
        fix: "download the file again",
      });
    });
    if (done) break;
    if (length + chunk.length > content.length) {
      const larger = new Uint8Array(Math.max(2 * content.length, length + chunk.length));
      larger.set(content.subarray(0, length));
      content = larger;
    }
    content.set(chunk, length);
    length += chunk.length;
    if (length > limit(content.subarray(0, length))) {
      await reader.cancel();
      break;
    }
  }
  return content.subarray(0, length);
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
