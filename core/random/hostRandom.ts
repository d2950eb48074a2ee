import { normalsFrom, philox, uniformFrom } from "./philox.ts";

/**
 * Numbers in [0, 1) on the host, for choosing samples of a batch: a pure function of (seed, step, stream) and how many were
 * taken before, so that a resumed run draws what it would have drawn.
 */
export function hostRandom(seed: number, step: number, stream: number): () => number {
  let block = 0;
  let waiting: number[] = [];
  return () => {
    if (waiting.length === 0)
      waiting = philox([block++, step, stream, 2], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]).map(uniformFrom);
    return waiting.shift()!;
  };
}

/**
 * ε ~ N(0, I) for samples first, first + 1, … of `size` elements each, as many as fill `out`. Draw number `draw` of a
 * sample has a Philox stream of its own, so it is the same however many samples are drawn, in whatever portions.
 */
export function sampleNoise(
  out: Float32Array,
  { seed, draw, first, size }: { seed: number; draw: number; first: number; size: number },
): void {
  const key = [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0] as const;
  for (let start = 0, sample = first; start < out.length; start += size, sample++)
    for (let i = 0; i < size; i += 4) {
      const bits = philox([i / 4, draw, sample, 3], key);
      const values = [...normalsFrom(bits[0], bits[1]), ...normalsFrom(bits[2], bits[3])];
      for (let lane = 0; lane < 4 && i + lane < size; lane++) out[start + i + lane] = values[lane];
    }
}
