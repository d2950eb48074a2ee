/**
 * 8-bit floating-point numbers as bit patterns, as files of quantised weights hold them: read only. Micikevicius et al. 2022,
 * arXiv:2209.05433. E4M3 is the variant without infinities (`float8_e4m3fn` of PyTorch, largest number 448), E5M2 the upper half of
 * a binary16.
 */
import { float16ToFloat32 } from "./halfFloat.ts";

/** Numbers of all 256 patterns of sign, 4 bits of exponent and 3 of fraction. */
const E4M3 = Float32Array.from({ length: 256 }, (_, byte) => {
  const [sign, exponent, fraction] = [byte & 0x80 ? -1 : 1, (byte >> 3) & 15, byte & 7];
  if (exponent === 15 && fraction === 7) return Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -9 : sign * (1 + fraction / 8) * 2 ** (exponent - 7);
});
/** Of all 256 patterns of sign, 5 bits of exponent and 2 of fraction. */
const E5M2 = float16ToFloat32(Uint16Array.from({ length: 256 }, (_, byte) => byte << 8));

const looked = (table: Float32Array) => (bytes: ArrayLike<number>) => {
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < out.length; i++) out[i] = table[bytes[i]];
  return out;
};

/** Patterns of `float8_e4m3fn` → the same numbers as float32 (exact). */
export const float8E4m3ToFloat32: (bytes: ArrayLike<number>) => Float32Array = looked(E4M3);
/** Patterns of `float8_e5m2` → the same numbers as float32 (exact). */
export const float8E5m2ToFloat32: (bytes: ArrayLike<number>) => Float32Array = looked(E5M2);
