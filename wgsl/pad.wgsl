// pad: one number before and behind a tensor along one axis.
//   y[r, j] = x[r, j - BEFORE] for BEFORE <= j < BEFORE + WIDTH, the element BITS elsewhere
// shapes      x: [R, WIDTH], y: [R, PADDED]; R: axes before the padded one, WIDTH and PADDED: it and those behind
// workgroups  linear over the COUNT = R PADDED elements of y, WG per workgroup
// invocations WG: one element each
// numerics    exact: moves bits
// oracle      core/ops/pad.ts (reference), exact
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
struct Dims { COUNT: u32, WIDTH: u32, BEFORE: u32, PADDED: u32, BITS: u32 }
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
  let row = i / dims.PADDED;
  // Left of x the difference wraps around to a large number, so one comparison serves both ends.
  let at = i - row * dims.PADDED - dims.BEFORE;
  var bits = dims.BITS;
  if (at < dims.WIDTH) { bits = x[row * dims.WIDTH + at]; }
  y[i] = bits;
}
