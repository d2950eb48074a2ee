import { fillFrom, keyWords, philoxInto, uniformFrom } from "./philox.ts";

/**
 * Numbers in [0, 1) on the host, for choosing samples of a batch: a pure function of (seed, step, stream) and how many were
 * taken before, so that a resumed run draws what it would have drawn.
 */
export function hostRandom(seed: number, step: number, stream: number): () => number {
  const [low, high] = keyWords(seed);
  const words = new Uint32Array(4);
  let block = 0;
  let lane = 4;
  return () => {
    if (lane === 4) {
      philoxInto(words, block++, step, stream, 2, low, high);
      lane = 0;
    }
    return uniformFrom(words[lane++]);
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
  const key = keyWords(seed);
  for (let start = 0, sample = first; start < out.length; start += size, sample++)
    fillFrom(out.subarray(start, start + size), { distribution: "normal", counter: [draw, sample, 3], key });
}
