// groupNormalizeGradSubgroup: gradients of groupNormalize, a group at a time on a subgroup of 8 lanes.
//   dScale[c] = sum du x^,  dShift[c] = sum du,  du = dy act'(u),  x^ = (x - mean) inverse,  u = x^ scale + shift
//   dx = inverse (du scale - (sum_c scale dShift + x^ sum_c scale dScale) / N)
// shapes      x, dy: [GROUPS, K, 4*S4] f32; scale, shift: [ROWS, K], row of group i is i % ROWS; all: dx, then dScale
//             from DSCALE on and dShift from DSHIFT on, both [GROUPS, K], in f32
// workgroups  linear, x + y * groups.x; PER groups each, as starting one costs as much as a short group
// invocations 8 = one subgroup; lane l takes vec4 l, l + 8, ... and comes back to its own values of dx
// numerics    moments of x less the group's first element, joined four at a time (Chan et al.); sums in lane order
// oracle      core/ops/groupNormalize.ts (reference), 1e-5 of the group's largest
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
// uses lib/subgroupMoments
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> all: array<f32>;
struct Dims {
  GROUPS: u32, PER: u32, K: u32, S4: u32, ROWS: u32, EPS: f32, SILU: u32, DSCALE: u32, DSHIFT: u32,
}
@group(0) @binding(5) var<uniform> dims: Dims;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * dims.PER;
  let n4 = dims.K * dims.S4;
  for (var row = first; row < min(first + dims.PER, dims.GROUPS); row++) {
    let start = row * n4;
    let moments = row_moments(start, n4, lane, dims.EPS);
    let affine = (row % dims.ROWS) * dims.K;
    var level = 0.0;
    var along = 0.0;
    for (var k = 0u; k < dims.K; k++) {
      let weight = scale[affine + k];
      let offset = shift[affine + k];
      let channel = start + k * dims.S4;
      var sums = vec4f();
      var products = vec4f();
      for (var i = lane; i < dims.S4; i += 8u) {
        let normalised = (x[channel + i] - moments.near - moments.rest) * moments.inverse;
        var du = dy[channel + i];
        if (dims.SILU != 0u) {
          let u = fma(normalised, vec4f(weight), vec4f(offset));
          let s = 1.0 / (1.0 + exp(-u));
          du *= s * fma(u, 1.0 - s, vec4f(1.0));
        }
        sums += du;
        products = fma(du, normalised, products);
        let to = 4u * (channel + i);
        all[to] = du.x * weight;
        all[to + 1u] = du.y * weight;
        all[to + 2u] = du.z * weight;
        all[to + 3u] = du.w * weight;
      }
      let dshift = subgroupAdd(dot(sums, vec4f(1.0)));
      let dscale = subgroupAdd(dot(products, vec4f(1.0)));
      if (lane == 0u) {
        all[dims.DSCALE + row * dims.K + k] = dscale;
        all[dims.DSHIFT + row * dims.K + k] = dshift;
      }
      level += weight * dshift;
      along += weight * dscale;
    }
    let n = 4.0 * f32(n4);
    level /= n;
    along = along / n * moments.inverse;
    for (var k = 0u; k < dims.K; k++) {
      let channel = start + k * dims.S4;
      for (var i = lane; i < dims.S4; i += 8u) {
        let v = x[channel + i] - moments.near - moments.rest;
        let to = 4u * (channel + i);
        let du = vec4f(all[to], all[to + 1u], all[to + 2u], all[to + 3u]);
        let d = (du - level - v * along) * moments.inverse;
        all[to] = d.x;
        all[to + 1u] = d.y;
        all[to + 2u] = d.z;
        all[to + 3u] = d.w;
      }
    }
  }
}
