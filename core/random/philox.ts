import { portableCos, portableLog, portableSin } from "./portable.ts";

/**
 * Philox 4x32-10, a counter-based random generator: the same integers on every backend, in any order, without state.
 * Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 *
 * onestep's use of it: key = (seed low, seed high); counter = (block, step, stream, use), where a block is four
 * consecutive elements of the tensor drawn, `step` is the training step and `stream` tells the draws of a step apart.
 * `use` is 0 in programs, 1 for starting weights, 2 for choosing the samples of a batch, 3 for the noise of samplers.
 */
const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** Four random 32-bit integers (unsigned) for one counter. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  const out = new Uint32Array(4);
  philoxInto(out, ...counter, ...key);
  return [out[0], out[1], out[2], out[3]];
}

/** The same for counter (c0, c1, c2, c3) and key (k0, k1), into four words: nothing is allocated, for long draws. */
export function philoxInto(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
): void {
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** High 32 bits of a product of two unsigned 32-bit integers; no sum here needs more than 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  // Said to be 32 bits wide, so that engines do without floating point.
  const mid = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) >>> 0;
  const cross = (Math.imul(aLow, bHigh) + (mid & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (mid >>> 16) + (cross >>> 16)) | 0;
}

/** A number in [0, 1) from the top 24 bits, exact in float32. */
export const uniformFrom = (bits: number): number => (bits >>> 8) * 2 ** -24;

/** Two independent N(0, 1) numbers from two integers (Box–Muller); the first uniform is in (0, 1]. */
export function normalsFrom(bits0: number, bits1: number): [number, number] {
  const out = new Float64Array(2);
  normalPair(out, 0, bits0, bits1);
  return [out[0], out[1]];
}

function normalPair(out: Float64Array, at: number, bits0: number, bits1: number): void {
  const radius = Math.sqrt(-2 * portableLog(1 - uniformFrom(bits0)));
  const angle = 2 * Math.PI * uniformFrom(bits1);
  out[at] = radius * portableCos(angle);
  out[at + 1] = radius * portableSin(angle);
}

/** A sequence of numbers that is a function of these alone: block b of it has counter (b, step, stream, use). */
export interface RandomDraw {
  readonly distribution: "normal" | "uniform";
  readonly counter: readonly [step: number, stream: number, use: number];
  readonly key: readonly [number, number];
}

/** Elements `first`, `first` + 1, … of a draw times `scale`, as many as fill `out`. */
export function fillFrom(
  out: Float32Array | Float64Array,
  { distribution, counter, key }: RandomDraw,
  { first = 0, scale = 1 }: { readonly first?: number; readonly scale?: number } = {},
): void {
  const words = new Uint32Array(4);
  const values = new Float64Array(4);
  const [step, stream, use] = counter;
  for (let block = Math.floor(first / 4); block * 4 < first + out.length; block++) {
    philoxInto(words, block, step, stream, use, key[0], key[1]);
    if (distribution === "uniform") for (let lane = 0; lane < 4; lane++) values[lane] = uniformFrom(words[lane]);
    else for (let lane = 0; lane < 4; lane += 2) normalPair(values, lane, words[lane], words[lane + 1]);
    // A typed array ignores what is written outside of it.
    for (let lane = 0; lane < 4; lane++) out[block * 4 + lane - first] = values[lane] * scale;
  }
}

/** The key of a seed: its low and its high word. */
export const keyWords = (seed: number): [low: number, high: number] => [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];

/** The key tensor of a program, i32[3]: seed low, seed high, step. */
export const keyOf = (seed: number, step: number): Int32Array =>
  Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0, step | 0);
