// Elements of two bytes as the f32 numbers that they are.

/** Storages of two bytes, as kernels are told of them; 0 is f32. */
export const F16: i32 = 1;

/**
 * Four elements of f16: exponent and fraction move to their places in f32, whose exponents count from 112 lower; the product with
 * 2^112 is exact, and right for subnormal numbers too. Infinities and NaN are not expected.
 */
@inline
function widenF16(bits: v128): v128 {
  const halves = i32x4.extend_low_i16x8_u(bits);
  const magnitude = i32x4.shl(v128.and(halves, i32x4.splat(0x7fff)), 13);
  const sign = i32x4.shl(v128.and(halves, i32x4.splat(0x8000)), 16);
  return v128.or(f32x4.mul(magnitude, f32x4.splat(reinterpret<f32>(0x77800000))), sign);
}

/** Four elements of bf16, the upper halves of f32 numbers. */
@inline
function widenBf16(bits: v128): v128 {
  return i32x4.shl(i32x4.extend_low_i16x8_u(bits), 16);
}

@inline
function widenRun<T>(from: usize, to: usize, count: i32): void {
  let left = count;
  for (; left >= 8; left -= 8) {
    const bits = v128.load(from);
    const low = isInteger<T>() ? widenBf16(bits) : widenF16(bits);
    const upper = v128.shuffle<i64>(bits, bits, 1, 1);
    const high = isInteger<T>() ? widenBf16(upper) : widenF16(upper);
    v128.store(to, low);
    v128.store(to, high, 16);
    from += 16;
    to += 32;
  }
  for (; left > 0; left--) {
    const bits = i32x4.splat(<i32>load<u16>(from));
    const value = isInteger<T>() ? widenBf16(bits) : widenF16(bits);
    store<f32>(to, f32x4.extract_lane(value, 0));
    from += 2;
    to += 4;
  }
}

/** Where element `index` of a tensor lies. */
@inline
export function elementAt(base: usize, index: i32, kind: i32): usize {
  return base + ((<usize>index) << (kind ? 1 : 2));
}

/** Widens `count` elements of a storage of two bytes; a run of few elements at a time stays in the first-level cache. */
export function widen(from: usize, to: usize, count: i32, kind: i32): void {
  if (kind == F16) widenRun<f32>(from, to, count);
  else widenRun<i32>(from, to, count);
}
