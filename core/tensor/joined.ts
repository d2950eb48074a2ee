/** Arrays of one type behind each other, in a new array. An empty list is no type's, so there must be one at least. */
export function joined<T extends Float32Array | Int32Array | Uint8Array>(parts: readonly T[]): T {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new (parts[0].constructor as new (length: number) => T)(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
