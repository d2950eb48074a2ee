// subgroupMoments: mean and variance of a row of 4*N4 numbers, made by a subgroup of 8 lanes that share its vec4f.
//   moments of x less its first element, joined four at a time (Chan et al.): a large mean costs no digits
// `x` is the kernel's own binding, array<vec4f>.

struct RowMoments {
  near: f32, // first element
  rest: f32, // the mean is near + rest
  inverse: f32, // 1 / sqrt(variance + EPS)
}

fn row_moments(start: u32, n4: u32, lane: u32, eps: f32) -> RowMoments {
  let near = x[start].x;
  var mean = 0.0; // of what this lane has seen, less near
  var squares = 0.0; // sum of squared distances from it
  var count = 0.0;
  for (var i = lane; i < n4; i += 8u) {
    let v = x[start + i] - near;
    let center = dot(v, vec4f(0.25));
    let d = v - center;
    let delta = center - mean;
    let share = 4.0 / (count + 4.0);
    mean = fma(delta, share, mean);
    squares += dot(d, d) + delta * delta * count * share;
    count += 4.0;
  }
  let n = 4.0 * f32(n4);
  let rest = subgroupAdd(mean * count) / n;
  let delta = mean - rest;
  return RowMoments(near, rest, inverseSqrt(subgroupAdd(squares + delta * delta * count) / n + eps));
}
