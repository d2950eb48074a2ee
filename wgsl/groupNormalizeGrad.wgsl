// groupNormalizeGrad: gradients of groupNormalize, one workgroup a group.
//   dScale[c] = sum du x^,  dShift[c] = sum du,  du = dy act'(u),  x^ = (x - mean) inverse,  u = x^ scale + shift
//   dx = inverse (du scale - (sum_c scale dShift + x^ sum_c scale dScale) / N)
// shapes      x, dy: [GROUPS, K, S] f32; scale, shift: [ROWS, K], row of group i is i % ROWS; all: dx, then dScale
//             from DSCALE on and dShift from DSHIFT on, both [GROUPS, K]; K, S >= 1
// workgroups  linear over groups, x + y * groups.x
// invocations WG, a power of two; a lane comes back to its own values of dx; 20*WG bytes of workgroup memory, and padding
// numerics    moments of x less the group's first element, joined in fixed order (Chan et al.); sums in fixed order
// oracle      core/ops/groupNormalize.ts (reference), 1e-5 of the group's largest
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
// uses lib/moments
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> all: array<f32>;
struct Dims {
  GROUPS: u32, K: u32, S: u32, ROWS: u32, EPS: f32, SILU: u32, DSCALE: u32, DSHIFT: u32,
}
@group(0) @binding(5) var<uniform> dims: Dims;

const WG = 64u;

// Mean, sum of squared distances from it, and count.
var<workgroup> moments: array<vec3f, WG>;
// Sums of du x^ and of du over a channel.
var<workgroup> partial: array<vec2f, WG>;

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
  let center = moments[0].x;
  let inverse = inverseSqrt(moments[0].y / moments[0].z + dims.EPS);
  let affine = (row % dims.ROWS) * dims.K;
  var level = 0.0;
  var along = 0.0;
  for (var k = 0u; k < dims.K; k++) {
    let weight = scale[affine + k];
    let offset = shift[affine + k];
    let channel = start + k * dims.S;
    var sums = vec2f();
    for (var i = lane; i < dims.S; i += WG) {
      let normalised = (x[channel + i] - near - center) * inverse;
      var du = dy[channel + i];
      if (dims.SILU != 0u) {
        let u = fma(normalised, weight, offset);
        let s = 1.0 / (1.0 + exp(-u));
        du *= s * fma(u, 1.0 - s, 1.0);
      }
      sums += du * vec2f(normalised, 1.0);
      all[channel + i] = du * weight;
    }
    partial[lane] = sums;
    for (var half = WG / 2u; half > 0u; half /= 2u) {
      workgroupBarrier(); // uniform: every lane takes every turn
      if (lane < half) { partial[lane] += partial[lane + half]; }
    }
    workgroupBarrier();
    let total = partial[0];
    workgroupBarrier(); // read by all before the next channel writes
    if (lane == 0u) {
      all[dims.DSCALE + row * dims.K + k] = total.x;
      all[dims.DSHIFT + row * dims.K + k] = total.y;
    }
    along += weight * total.x;
    level += weight * total.y;
  }
  level /= f32(n);
  along = along / f32(n) * inverse;
  for (var k = 0u; k < dims.K; k++) {
    let channel = start + k * dims.S;
    for (var i = lane; i < dims.S; i += WG) {
      let v = x[channel + i] - near - center;
      all[channel + i] = (all[channel + i] - level - v * along) * inverse;
    }
  }
}
