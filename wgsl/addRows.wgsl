// addRows: rows added into a table at their numbers; the gradient of takeRows.
//   y[v, d] = sum over m with clamp(index[m], 0, V - 1) = v of x[m, d]
// shapes      x: [M, D], index: [M] i32, y: [V, D]
// workgroups  linear over the COUNT = V D elements of y, WG per workgroup
// invocations WG: one element of y each, so no two lanes add to the same
// numerics    f32, m ascending: runs repeat bit for bit
// oracle      core/ops/takeRows.ts (reference of addRows), 1e-6 relative to sum |x|
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
struct Dims { COUNT: u32, M: u32, D: u32, V: u32 }
@group(0) @binding(3) var<uniform> dims: Dims;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * groups.x) * WG + lane;
  if (i >= dims.COUNT) { return; }
  let row = i32(i / dims.D);
  let column = i - u32(row) * dims.D;
  var sum = 0.0;
  for (var m = 0u; m < dims.M; m++) {
    if (clamp(index[m], 0, i32(dims.V) - 1) == row) { sum += x[m * dims.D + column]; }
  }
  y[i] = sum;
}
