// errorFunction: erf to 2e-7 absolute, and gelu without cancellation in its left tail.
//   |x| < 1: Taylor series of 2/sqrt(pi) * integral of e^-t^2;  beyond: Abramowitz and Stegun 7.1.26
fn erf(x: f32) -> f32 {
  if (abs(x) < 1.0) { return erf_series(x); }
  let tail = erfc_positive(abs(x));
  return select(tail - 1.0, 1.0 - tail, x >= 0.0);
}

// x Phi(x), the normal distribution function
fn gelu(x: f32) -> f32 {
  let tail = 0.5 * erfc_positive(abs(x) * 0.70710678);
  return x * select(tail, 1.0 - tail, x >= 0.0);
}

fn erfc_positive(x: f32) -> f32 {
  if (x < 1.0) { return 1.0 - erf_series(x); }
  let t = 1.0 / (1.0 + 0.3275911 * x);
  // Past 10 the result is 0, and the square stays finite.
  let square = min(x, 10.0) * min(x, 10.0);
  return exp(-square)
    * t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
}

fn erf_series(x: f32) -> f32 {
  let z = x * x;
  return x * 1.128379167 * (1.0 + z * (-3.33333333e-1 + z * (0.1 + z * (-2.38095238e-2 + z * (4.62962963e-3
    + z * (-7.57575758e-4 + z * (1.06837607e-4 + z * (-1.32275132e-5 + z * (1.45891690e-6
    + z * (-1.45038522e-7 + z * 1.31225330e-8))))))))));
}
