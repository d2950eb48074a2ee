// normalizeGrad: gradient of normalize, one workgroup a row.
//   dx = scale (dy - mean(dy) - y mean(dy y)),  y = (x - mean(x)) scale,  scale = 1 / sqrt(var(x) + EPS)
// shapes      x, dy, dx: [ROWS, N] f32; any N >= 1
// workgroups  linear over rows, x + y * groups.x
// invocations WG, a power of two; 20*WG bytes of workgroup memory, and padding
// numerics    moments of x less the row's first element and of dy, joined in fixed order (Chan et al.)
// oracle      core/ops/normalize.ts (reference), 1e-5 of the row's largest
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
struct Dims { ROWS: u32, N: u32, EPS: f32 }
@group(0) @binding(3) var<uniform> dims: Dims;

const WG = 64u;

struct Moments {
  mean: vec2f, // of x and of dy
  squares: f32, // sum of squared distances of x from its mean
  products: f32, // sum of products of the distances of x and dy from theirs
  count: f32,
}
var<workgroup> moments: array<Moments, WG>;

fn join(a: Moments, b: Moments) -> Moments {
  let delta = b.mean - a.mean;
  let count = a.count + b.count;
  let share = b.count / max(count, 1.0); // both may be empty
  let spread = delta.x * a.count * share;
  return Moments(
    a.mean + delta * share,
    a.squares + b.squares + delta.x * spread,
    a.products + b.products + delta.y * spread,
    count,
  );
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= dims.ROWS) { return; }
  let start = row * dims.N;
  let shift = x[start];
  var own = Moments(vec2f(), 0.0, 0.0, 0.0);
  for (var i = lane; i < dims.N; i += WG) {
    own = join(own, Moments(vec2f(x[start + i] - shift, dy[start + i]), 0.0, 0.0, 1.0));
  }
  moments[lane] = own;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { moments[lane] = join(moments[lane], moments[lane + half]); }
  }
  workgroupBarrier();
  let all = moments[0];
  let scale = inverseSqrt(all.squares / all.count + dims.EPS);
  // mean(dy y) scale, as the co-moment does not feel that dy is not centred.
  let slope = all.products / all.count * scale * scale;
  for (var i = lane; i < dims.N; i += WG) {
    let v = x[start + i] - shift - all.mean.x;
    dx[start + i] = scale * (dy[start + i] - all.mean.y - v * slope);
  }
}
