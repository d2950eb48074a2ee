// normalize: rows to mean 0 and variance 1, one workgroup a row.
//   y = (x - mean) / sqrt(var + EPS), moments over a row of N
// shapes      x, y: [ROWS, N] f32; any N >= 1
// workgroups  linear over rows, x + y * groups.x
// invocations WG, a power of two; 12*WG bytes of workgroup memory
// numerics    moments of x less the row's first element, joined in fixed order (Chan et al.):
//             a large mean costs no digits
// oracle      core/ops/normalize.ts (reference), 1e-5 relative
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
// uses lib/moments
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims { ROWS: u32, N: u32, EPS: f32 }
@group(0) @binding(2) var<uniform> dims: Dims;

const WG = 64u;
// Mean, sum of squared distances from it, and count.
var<workgroup> moments: array<vec3f, WG>;

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
  var own = vec3f();
  for (var i = lane; i < dims.N; i += WG) { own = join_moments(own, vec3f(x[start + i] - shift, 0.0, 1.0)); }
  moments[lane] = own;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { moments[lane] = join_moments(moments[lane], moments[lane + half]); }
  }
  workgroupBarrier();
  let all = moments[0];
  let scale = inverseSqrt(all.y / all.z + dims.EPS);
  for (var i = lane; i < dims.N; i += WG) { y[start + i] = (x[start + i] - shift - all.x) * scale; }
}
