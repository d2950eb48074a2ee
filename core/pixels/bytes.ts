/**
 * How values of [-1, 1] become bytes 0 to 255:
 *   dmd2   (x + 1) · 127.5, cut off: DMD2's evaluation, and pipelines that end in [0, 1]
 *   edm    x · 127.5 + 128, cut off: half a grey level brighter on average; EDM's evaluation
 *   round  (x + 1) · 127.5, to the nearest
 */
export const byteRules = ["dmd2", "edm", "round"] as const;
/** One of `byteRules`. */
export type ByteRule = (typeof byteRules)[number];

const rules: Readonly<Record<ByteRule, (x: number) => number>> = {
  dmd2: (x) => (x + 1) * 127.5,
  edm: (x) => x * 127.5 + 128,
  round: (x) => (x + 1) * 127.5 + 0.5,
};

/** How far float32 values of bytes, u8/127.5 - 1, lie from whole levels at most: 2^-24 of 2, times 127.5. */
const SLACK = 2e-5;

/**
 * Values of [-1, 1] as bytes; those beyond are clipped, and NaN is 0. Pictures that were bytes before, u8/127.5 - 1, are these
 * bytes again by every rule: cut off, half of the levels would come out one lower, as float32 values lie a hair below them.
 */
export function toBytes(x: Float32Array, rule: ByteRule): Uint8Array {
  const scale = x.every(isByte) ? rules.round : rules[rule];
  return Uint8Array.from(x, (value) => Math.min(255, Math.max(0, Math.floor(scale(value)))) || 0);
}

function isByte(value: number): boolean {
  const level = (value + 1) * 127.5;
  return Math.abs(level - Math.round(level)) < SLACK;
}
