/**
 * 16-bit floating-point numbers as bit patterns. Node 20 has no Float16Array, and no runtime has a bfloat16 array, so both
 * travel as `Uint16Array` and are widened here. Narrowing rounds to nearest, ties to even; NaN stays NaN.
 */

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** IEEE binary16 bit patterns → the same numbers as float32 (exact). */
export function float16ToFloat32(halves: ArrayLike<number>): Float32Array {
  const out = new Float32Array(halves.length);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < out.length; i++) {
    const half = halves[i];
    const magnitude = half & 0x7fff;
    // Normal numbers only change the bias of their exponent, from 15 to 127.
    if (magnitude >= 0x400 && magnitude < 0x7c00) words[i] = ((half & 0x8000) << 16) | ((magnitude << 13) + 0x38000000);
    else out[i] = widen(half);
  }
  return out;
}

function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** float32 → nearest IEEE binary16 bit pattern; magnitudes of 65520 and more become infinite. */
export function float32ToFloat16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    word[0] = values[i];
    out[i] = narrow(bits[0]);
  }
  return out;
}

function narrow(single: number): number {
  const sign = (single >>> 16) & 0x8000;
  const magnitude = single & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // 65520 is halfway from 65504 to 65536
  if (magnitude < 0x33000000) return sign; // below half of the smallest subnormal
  if (magnitude >= 0x38800000) return sign | roundShift(magnitude - 0x38000000, 13);
  // Subnormal: make the hidden one explicit, then drop the bits below 2^-24.
  const exponent = magnitude >>> 23;
  return sign | roundShift((magnitude & 0x7fffff) | 0x800000, 126 - exponent);
}

/** bfloat16 bit patterns → the same numbers as float32 (exact). */
export function bfloat16ToFloat32(halves: ArrayLike<number>): Float32Array {
  const out = new Float32Array(halves.length);
  const words = new Uint32Array(out.buffer);
  for (let i = 0; i < out.length; i++) words[i] = halves[i] << 16;
  return out;
}

/** float32 → nearest bfloat16 bit pattern. */
export function float32ToBfloat16(values: ArrayLike<number>): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) {
    word[0] = values[i];
    const single = bits[0];
    const isNan = (single & 0x7fffffff) > 0x7f800000;
    // Rounding a NaN could carry its fraction into the exponent and turn it into an infinity.
    out[i] = isNan ? (single >>> 16) | 0x40 : roundShift(single, 16);
  }
  return out;
}

/** `value / 2^shift`, rounded to nearest, ties to even. A carry into the exponent field is the correct next number. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const dropped = (value & (2 ** shift - 1)) >>> 0;
  const half = 2 ** (shift - 1);
  return dropped > half || (dropped === half && kept & 1) ? kept + 1 : kept;
}
