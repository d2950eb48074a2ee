const SMALLEST_NORMAL = 2 ** -14;
const MANTISSA = 2 ** 10;
const LARGEST = 65504;

/** The nearest number that 16 bits can hold, ties to even; infinite from halfway beyond 65504 on. */
export function roundToHalf(x: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const size = Math.max(Math.abs(x), SMALLEST_NORMAL);
  const step = 2 ** Math.floor(Math.log2(size)) / MANTISSA;
  const rounded = toEven(x / step) * step;
  return Math.abs(rounded) > LARGEST ? Math.sign(x) * Infinity : rounded;
}

function toEven(x: number): number {
  const below = Math.floor(x);
  const rest = x - below;
  return rest < 0.5 || (rest === 0.5 && below % 2 === 0) ? below : below + 1;
}
