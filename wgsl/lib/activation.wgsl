// activation: smooth nonlinearities that never form an infinity on the way.
//   sigmoid x = 1 / (1 + e^-x),  silu x = x sigmoid x,  softplus x = max(x, 0) + ln(1 + e^-|x|)
//   tanh x = 1 - 2 / (e^2x + 1),  tanh form of gelu = x sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3))
fn sigmoid(x: f32) -> f32 {
  let e = exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

fn silu(x: f32) -> f32 {
  return x * sigmoid(x);
}

fn quick_gelu(x: f32) -> f32 {
  return x * sigmoid(1.702 * x);
}

fn gelu_tanh(x: f32) -> f32 {
  return x * sigmoid(1.5957691216 * (x + 0.044715 * x * x * x));
}

fn softplus(x: f32) -> f32 {
  return max(x, 0.0) + log1p_unit(exp(-abs(x)));
}

fn tanh_precise(x: f32) -> f32 {
  let z = x * x;
  if (z < 0.16) {
    // Taylor: the closed form would lose the small x beside the 1.
    return x * (1.0 + z * (-3.333333333e-1 + z * (1.333333333e-1 + z * (-5.39682540e-2 + z * (2.18694885e-2
      - z * 8.86323553e-3)))));
  }
  // Past 20 the result is 1 to the last bit, and the exponential stays finite.
  let y = 1.0 - 2.0 / (exp(2.0 * min(abs(x), 20.0)) + 1.0);
  return select(-y, y, x > 0.0);
}

// ln(1 + z) for z in [0, 1], to full precision also for tiny z:  2 atanh(s),  s = z / (2 + z) <= 1/3
fn log1p_unit(z: f32) -> f32 {
  let s = z / (2.0 + z);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (3.333333333e-1 + q * (0.2 + q * (1.428571429e-1 + q * (1.111111111e-1
    + q * (9.09090909e-2 + q * 7.69230769e-2))))));
}
