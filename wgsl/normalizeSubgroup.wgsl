// normalizeSubgroup: rows to mean 0 and variance 1, a row at a time on a subgroup of 8 lanes.
//   y = (x - mean) / sqrt(var + EPS), moments over a row of N
// shapes      x, y: [ROWS, 4*N4] f32
// workgroups  linear, x + y * groups.x; PER rows each, as starting one costs as much as a short row
// invocations 8 = one subgroup; lane l takes vec4 l, l + 8, ...
// numerics    moments of x less the row's first element, joined four at a time (Chan et al.):
//             a large mean costs no digits
// oracle      core/ops/normalize.ts (reference), 1e-5 relative
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
// uses lib/subgroupMoments
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
struct Dims { ROWS: u32, PER: u32, N4: u32, EPS: f32 }
@group(0) @binding(2) var<uniform> dims: Dims;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * dims.PER;
  for (var row = first; row < min(first + dims.PER, dims.ROWS); row++) {
    let start = row * dims.N4;
    let moments = row_moments(start, dims.N4, lane, dims.EPS);
    for (var i = lane; i < dims.N4; i += 8u) {
      y[start + i] = (x[start + i] - moments.near - moments.rest) * moments.inverse;
    }
  }
}
