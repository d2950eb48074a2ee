/** What a reader promises of what it gives. */

/** Throws where a promise is broken: a fault, since the error has no code. */
export function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Numbers that something is computed from. */
export function finite(values: ArrayLike<number | bigint>, what: string): void {
  for (let i = 0; i < values.length; i++) expect(Number.isFinite(Number(values[i])), `${what}: ${values[i]} was taken`);
}

/** Bytes of all files of a folder. */
export const sizeOf = (contents: Readonly<Record<string, Uint8Array>>) =>
  Object.values(contents).reduce((sum, { length }) => sum + length, 0);
