import type { DType } from "../../../core/tensor/tensor.ts";

const SMALLEST_NORMAL = 2 ** -126;

/**
 * A number as WGSL text that means exactly this value. Infinities, NaN, -0 and subnormals are made from their bits at run
 * time, by `from_bits`: WGSL refuses the first two as constants and may flush the others.
 */
export function literal(value: number, dtype: DType): string {
  if (dtype === "i32") {
    const whole = Math.min(Math.max(Math.trunc(value), -(2 ** 31)), 2 ** 31 - 1);
    return `i32(${Number.isNaN(whole) ? 0 : whole})`;
  }
  const rounded = Math.fround(value);
  const plain = (Number.isFinite(rounded) && Math.abs(rounded) >= SMALLEST_NORMAL) || Object.is(rounded, 0);
  if (plain) return `${rounded}f`;
  return `from_bits(0x${bitsOf(rounded).toString(16)}u)`;
}

/** Defined in every generated kernel that needs it. Not a constant expression, since it is a function of our own. */
export const FROM_BITS = "fn from_bits(bits: u32) -> f32 { return bitcast<f32>(bits); }";

const bitsOf = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0];
