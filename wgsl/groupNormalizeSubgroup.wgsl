// groupNormalizeSubgroup: group normalisation with scale, shift and activation, a group at a time on a subgroup of 8 lanes.
//   y = act((x - mean) / sqrt(var + EPS) * scale + shift), moments over a group of K channels by S elements
// shapes      x, y: [GROUPS, K, 4*S4] f32; scale, shift: [ROWS, K], row of group i is i % ROWS
// workgroups  linear, x + y * groups.x; PER groups each, as starting one costs as much as a short group
// invocations 8 = one subgroup; lane l takes vec4 l, l + 8, ...
// numerics    moments of x less the group's first element, joined four at a time (Chan et al.):
//             a large mean costs no digits
// oracle      core/ops/groupNormalize.ts (reference), 1e-5 relative
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
// uses lib/subgroupMoments
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> scale: array<f32>;
@group(0) @binding(2) var<storage, read> shift: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
struct Dims { GROUPS: u32, PER: u32, K: u32, S4: u32, ROWS: u32, EPS: f32, SILU: u32 }
@group(0) @binding(4) var<uniform> dims: Dims;

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
    for (var k = 0u; k < dims.K; k++) {
      let factor = scale[affine + k] * moments.inverse;
      let offset = shift[affine + k];
      let channel = start + k * dims.S4;
      for (var i = lane; i < dims.S4; i += 8u) {
        var u = fma(x[channel + i] - moments.near - moments.rest, vec4f(factor), vec4f(offset));
        if (dims.SILU != 0u) { u = u / (1.0 + exp(-u)); }
        y[channel + i] = u;
      }
    }
  }
}
