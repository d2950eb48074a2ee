import { failure } from "../../core/errors.ts";
import type { FileSystem } from "../../core/io/files.ts";
import { overlaid } from "../../core/plugin/overlaid.ts";

/** @throws E_ABORTED once the signal is aborted; `what` is what can't go on, as in "sample" */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (!signal?.aborted) return;
  const { reason } = signal;
  const isUsual = reason instanceof Error && reason.name === "AbortError";
  const why = isUsual || reason === undefined ? "" : `, the reason given is: ${reason?.message ?? String(reason)}`;
  throw failure("E_ABORTED", `Cannot ${what}: its signal was aborted${why}`, { cause: reason });
}

/**
 * What work gives that looks at the signal itself, in its own time. Where the signal has ended it, its error is E_ABORTED, whatever it
 * was on the way.
 */
export async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  what: string,
  work: () => Promise<T>,
): Promise<T> {
  throwIfAborted(signal, what);
  try {
    return await work();
  } catch (error) {
    throwIfAborted(signal, what);
    throw error;
  }
}

/** Files of which nothing is read or written any more once the signal is aborted; what was begun is done to its end. */
export function abortable(files: FileSystem, signal: AbortSignal | undefined, what: string): FileSystem {
  if (!signal) return files;
  const until =
    <A extends unknown[], R>(act: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      throwIfAborted(signal, what);
      return act.apply(files, given);
    };
  const { read, readRange, size, write, append, exists, list, makeDir } = files;
  return overlaid(files, {
    read: until(read),
    readRange: until(readRange),
    size: until(size),
    write: until(write),
    append: until(append),
    exists: until(exists),
    list: until(list),
    makeDir: until(makeDir),
  });
}

/** A promise that rejects with E_ABORTED as soon as the signal is aborted, for waiting beside something else; and how to end the watch. */
export function whenAborted(
  signal: AbortSignal | undefined,
  what: string,
): { readonly aborted: Promise<never>; end(): void } {
  let end = () => {};
  const aborted = new Promise<never>((_, reject) => {
    const check = () => {
      try {
        throwIfAborted(signal, what);
      } catch (error) {
        reject(error);
      }
    };
    check();
    signal?.addEventListener("abort", check);
    end = () => signal?.removeEventListener("abort", check);
  });
  // Whoever waits hears of it; where nobody does, it is nobody's error.
  aborted.catch(() => {});
  return { aborted, end };
}
