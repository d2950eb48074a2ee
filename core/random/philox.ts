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
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const [low0, low1] = [Math.imul(MULTIPLIER_0, c0), Math.imul(MULTIPLIER_1, c2)];
    [c0, c1, c2, c3] = [high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0];
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  return [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
}

/** High 32 bits of a product of two unsigned 32-bit integers; no sum here needs more than 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow] = [a >>> 16, a & 0xffff];
  const [bHigh, bLow] = [b >>> 16, b & 0xffff];
  const mid = Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16);
  const cross = Math.imul(aLow, bHigh) + (mid & 0xffff);
  return Math.imul(aHigh, bHigh) + (mid >>> 16) + (cross >>> 16);
}

/** A number in [0, 1) from the top 24 bits, exact in float32. */
export const uniformFrom = (bits: number): number => (bits >>> 8) * 2 ** -24;

/** Two independent N(0, 1) numbers from two integers (Box–Muller); the first uniform is in (0, 1]. */
export function normalsFrom(bits0: number, bits1: number): [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - uniformFrom(bits0)));
  const angle = 2 * Math.PI * uniformFrom(bits1);
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** The key tensor of a program, i32[3]: seed low, seed high, step. */
export const keyOf = (seed: number, step: number): Int32Array =>
  Int32Array.of(seed | 0, Math.floor(seed / 2 ** 32) | 0, step | 0);
