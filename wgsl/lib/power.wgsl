// power: a^b with JavaScript's cases: 1 for b = 0, whole exponents of negative numbers, NaN for others.
// An odd power of -0 has the sign of +0.
//   |a|^b = e^(b ln |a|), relative error about 1e-7 (1 + |b ln a|)
// uses        lib/logarithm
fn power(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return 1.0; }
  if (a == 0.0) { return select(1.0 / abs(a), 0.0, b > 0.0); }
  let magnitude = exp(b * log_precise(abs(a)));
  if (a >= 0.0) { return magnitude; }
  let whole = floor(b) == b;
  let odd = floor(0.5 * b) != 0.5 * b;
  // The square root of a negative number is a NaN that no compiler foresees.
  return select(sqrt(a), select(magnitude, -magnitude, odd), whole);
}
