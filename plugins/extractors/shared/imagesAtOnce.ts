/** Bytes that every device lets a kernel see at once. */
const BINDING = 128 * 2 ** 20;

/** How many images a transformer can look at together: its widest layer holds `tokens` × `inner` float32 of each. */
export const imagesAtOnce = (tokens: number, inner: number): number =>
  Math.max(1, Math.min(50, Math.floor(BINDING / (4 * tokens * inner))));
