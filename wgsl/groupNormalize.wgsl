// groupNormalize: group normalisation with scale, shift and activation, one workgroup a group.
//   y = act((x - mean) / sqrt(var + EPS) * scale + shift), moments over a group of K channels by S elements
// shapes      x, y: [GROUPS, K, S] f32; scale, shift: [ROWS, K], row of group i is i % ROWS; K, S >= 1
// workgroups  linear over groups, x + y * groups.x
// invocations WG, a power of two; 12*WG bytes of workgroup memory, and padding
// numerics    moments of x less the group's first element, joined in fixed order (Chan et al.)
// oracle      core/ops/groupNormalize.ts (reference), 1e-5 relative
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
// uses lib/moments
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
struct Dims { GROUPS: u32, K: u32, S: u32, ROWS: u32, EPS: f32, SILU: u32 }
@group(0) @binding(4) var<uniform> dims: Dims;

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
  if (row >= dims.GROUPS) { return; }
  let n = dims.K * dims.S;
  let start = row * n;
  let near = x[start];
  var own = vec3f();
  for (var i = lane; i < n; i += WG) { own = join_moments(own, vec3f(x[start + i] - near, 0.0, 1.0)); }
  moments[lane] = own;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { moments[lane] = join_moments(moments[lane], moments[lane + half]); }
  }
  workgroupBarrier();
  let all = moments[0];
  let slope = inverseSqrt(all.y / all.z + dims.EPS);
  let affine = (row % dims.ROWS) * dims.K;
  for (var i = lane; i < n; i += WG) {
    let k = affine + i / dims.S;
    var u = fma((x[start + i] - near - all.x) * slope, scale[k], shift[k]);
    if (dims.SILU != 0u) { u = u / (1.0 + exp(-u)); }
    y[start + i] = u;
  }
}
