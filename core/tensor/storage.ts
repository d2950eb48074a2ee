/**
 * How a device keeps the elements of an f32 tensor in memory. What is computed from them is computed in f32. Values on their way
 * through a program are f32 or f16; only states are ever bf16.
 */
export type Storage = "f32" | "f16" | "bf16";

/** Bytes of one stored element; integers are kept as f32 is. */
export const elementBytes = (storage: Storage): number => (storage === "f32" ? 4 : 2);

let current: Storage = "f32";

/** What `withStorage` asks for at this point of a trace. */
export const currentStorage = (): Storage => current;

/**
 * Traces with another storage: the f32 results of ops that `trace` calls are kept in it. Sources, single numbers and
 * integers stay as they are, and views lie in what they are views of.
 *
 * ```ts
 * const y = withStorage("f16", () => silu(conv(scope, x, 64)));
 * ```
 */
export function withStorage<T>(storage: Storage, trace: () => T): T {
  const before = current;
  current = storage;
  try {
    return trace();
  } finally {
    current = before;
  }
}
