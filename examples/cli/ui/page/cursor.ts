/** The step that the reader points at, which all charts of a stage show. */
export interface Cursor {
  readonly stage: string;
  readonly step: number;
}

let now: Cursor | undefined;
const listeners = new Set<(cursor: Cursor | undefined) => void>();

/** Calls `listen` with every change; returns the function that ends it. */
export function onCursor(listen: (cursor: Cursor | undefined) => void): () => void {
  listeners.add(listen);
  listen(now);
  return () => listeners.delete(listen);
}

export function pointAt(cursor: Cursor | undefined): void {
  if (now?.stage === cursor?.stage && now?.step === cursor?.step) return;
  now = cursor;
  for (const listen of listeners) listen(now);
}
