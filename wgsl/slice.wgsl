// slice: a range of indices along one axis.
//   y[r, j] = x[r, START + j]
// shapes      x: [R, WIDTH], y: [R, TAKEN]; R: axes before the sliced one, WIDTH and TAKEN: it and those behind
// workgroups  linear over the COUNT = R TAKEN elements of y, WG per workgroup
// invocations WG: one element each
// numerics    exact: moves bits
// oracle      core/ops/slice.ts (reference), exact
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
struct Dims { COUNT: u32, WIDTH: u32, START: u32, TAKEN: u32 }
@group(0) @binding(2) var<uniform> dims: Dims;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * groups.x) * WG + lane;
  if (i >= dims.COUNT) { return; }
  let row = i / dims.TAKEN;
  y[i] = x[row * (dims.WIDTH - dims.TAKEN) + dims.START + i];
}
