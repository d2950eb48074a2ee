// trigonometry: sin and cos to 1e-7 absolute for |x| up to 1e4, slowly worse beyond; WGSL's own promise nothing past pi.
//   x = q pi/2 + r, |r| <= pi/4;  pi/2 is taken off in three parts with few bits each
fn sin_precise(x: f32) -> f32 {
  let q = round(x * 0.6366197724);
  return quarter_turns(remainder_of(x, q), i32(q));
}

fn cos_precise(x: f32) -> f32 {
  let q = round(x * 0.6366197724);
  return quarter_turns(remainder_of(x, q), i32(q) + 1);
}

// sin and cos of 2 pi u; for u a multiple of 2^-24 in [0, 1) the reduction is exact
fn cos_sin_turns(u: f32) -> vec2f {
  let q = round(u * 4.0);
  let r = (u - q * 0.25) * 6.283185307;
  return vec2f(quarter_turns(r, i32(q) + 1), quarter_turns(r, i32(q)));
}

fn remainder_of(x: f32, q: f32) -> f32 {
  return fma(-q, 7.54978995489188e-8, fma(-q, 4.837512969970703e-4, fma(-q, 1.5703125, x)));
}

// sin(r + quarters pi/2)
fn quarter_turns(r: f32, quarters: i32) -> f32 {
  let z = r * r;
  let sine = r + r * z * (-1.6666666667e-1 + z * (8.3333333e-3 + z * (-1.98412698e-4 + z * 2.7557319e-6)));
  let cosine = 1.0 + z * (-0.5 + z * (4.1666666667e-2 + z * (-1.388888889e-3 + z * (2.48015873e-5 - z * 2.7557319e-7))));
  let value = select(sine, cosine, (quarters & 1) == 1);
  return select(value, -value, (quarters & 2) == 2);
}
