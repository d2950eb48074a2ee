type Disposer = () => unknown;

/** How to release `value`: its `[Symbol.asyncDispose]`, `[Symbol.dispose]` or `dispose` method, in that order. */
export function disposerOf(value: unknown): Disposer | undefined {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return undefined;
  const members = value as Record<PropertyKey, unknown>;
  // Older browsers lack the two symbols; asking for the member "undefined" would be wrong.
  for (const key of [Symbol.asyncDispose, Symbol.dispose, "dispose"]) {
    const method = key === undefined ? undefined : members[key];
    if (typeof method === "function") return () => method.call(value);
  }
  return undefined;
}

/**
 * Releases `values` from the last to the first, awaiting each. A value that is a promise is awaited and then released; one
 * that rejected holds nothing. All are tried; afterwards the error is thrown, or an AggregateError of several.
 */
export async function disposeInReverse(values: readonly unknown[]): Promise<void> {
  const errors: unknown[] = [];
  for (const pending of [...values].reverse()) {
    const value = await Promise.resolve(pending).catch(() => undefined);
    try {
      await disposerOf(value)?.();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, "Cannot dispose: several values failed");
}
