// takeRows: rows of a table by their numbers.
//   y[m, d] = table[clamp(index[m], 0, V - 1), d]
// shapes      table: [V, D], index: [M] i32, y: [M, D]
// workgroups  linear over the COUNT = M D elements of y, WG per workgroup
// invocations WG: one element each
// numerics    exact: moves bits
// oracle      core/ops/takeRows.ts (reference), exact
@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read> index: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
struct Dims { COUNT: u32, D: u32, V: u32 }
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
  let m = i / dims.D;
  let row = u32(clamp(index[m], 0, i32(dims.V) - 1));
  y[i] = table[row * dims.D + i - m * dims.D];
}
