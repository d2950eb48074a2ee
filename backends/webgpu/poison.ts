import { bufferBytes, type DispatchList } from "./dispatch.ts";

/** A quiet NaN, and two of them in f16; as an integer it is 2143322048, no sensible index either. */
const NAN_BITS = 0x7fc07fc0;

let pattern = new Uint32Array(0);

/**
 * Fills what a run must write before it reads it: a kernel that forgets an element is found out. Packed buffers are left
 * alone, as their gaps are zeros for good.
 */
export function poison(
  queue: GPUQueue,
  { buffers: needs }: DispatchList,
  buffers: ReadonlyMap<number, GPUBuffer>,
): void {
  const kinds = ["scratch", "output", "temp"];
  const spoiled = needs.flatMap((need, index) =>
    kinds.includes(need.kind) ? [{ buffer: buffers.get(index)!, words: bufferBytes(need) / 4 }] : [],
  );
  const largest = Math.max(0, ...spoiled.map(({ words }) => words));
  if (pattern.length < largest) pattern = new Uint32Array(largest).fill(NAN_BITS);
  for (const { buffer, words } of spoiled) queue.writeBuffer(buffer, 0, pattern, 0, words);
}
