// order: comparisons that let NaN through as JavaScript's Math does, by bit patterns: WGSL may assume there is no NaN.
//   larger(a, b) = max, smaller(a, b) = min, both NaN where a or b is;  limited(x, lo, hi) = min(max(x, lo), hi)
fn is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

fn larger(a: f32, b: f32) -> f32 {
  return select(a, b, !is_nan(a) && (b > a || is_nan(b)));
}

fn smaller(a: f32, b: f32) -> f32 {
  return select(a, b, !is_nan(a) && (b < a || is_nan(b)));
}

fn limited(x: f32, low: f32, high: f32) -> f32 {
  return smaller(larger(x, low), high);
}

// NaN becomes 0, infinities the largest numbers.
fn nan_to_num(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0.0; }
  if (magnitude < 0x7f800000u) { return x; }
  return select(-3.40282346e38, 3.40282346e38, bits == magnitude);
}
