// logarithm: ln x to about 1 ulp; WGSL's own log may be off by 2^-21 near 1, where ln x is small.
//   x = 2^e * (1 + f), sqrt(1/2) < 1 + f <= sqrt(2);  ln(1 + f) = f - (f^2/2 - s (f^2/2 + R(s^2))),  s = f / (2 + f)
fn log_precise(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  // Zero, subnormal, negative, infinite and NaN are left to the built-in; no comparison of floats sees them safely.
  if (bits < 0x00800000u || bits >= 0x7f800000u) { return log(x); }
  var exponent = i32(bits >> 23u) - 127;
  var mantissa = bitcast<f32>((bits & 0x007fffffu) | 0x3f800000u);
  if (mantissa > 1.41421356) {
    mantissa *= 0.5;
    exponent += 1;
  }
  return log1p_near(mantissa - 1.0) + log_power(exponent);
}

// ln(1 + x), also for tiny x
fn log1p_precise(x: f32) -> f32 {
  if (abs(x) < 0.4) { return log1p_near(x); }
  return log_precise(1.0 + x);
}

// ln(1 + f) for |f| < 0.42
fn log1p_near(f: f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  // atanh series: 2 s + s R, R = 2 z/3 + 2 z^2/5 + ...
  let r = z * (0.6666666667 + z * (0.4 + z * (0.2857142857 + z * 0.2222222222)));
  let half_square = 0.5 * f * f;
  return f - (half_square - s * (half_square + r));
}

// exponent * ln 2 in two parts: the first has few bits, so that the product is exact
fn log_power(exponent: i32) -> f32 {
  let e = f32(exponent);
  return fma(e, 0.693145751953125, e * 1.42860677e-6);
}
