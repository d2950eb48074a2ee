// concat: two tensors one after another along an axis.
//   y[r, j] = a[r, j] for j < A, b[r, j - A] beyond
// shapes      a: [R, A], b: [R, B], y: [R, A + B]; R: axes before the joined one, A and B: it and those behind
// workgroups  linear over the COUNT = R (A + B) elements of y, WG per workgroup
// invocations WG: one element each
// numerics    exact: moves bits
// oracle      core/ops/concat.ts (reference), exact
@group(0) @binding(0) var<storage, read> a: array<u32>;
@group(0) @binding(1) var<storage, read> b: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
struct Dims { COUNT: u32, A: u32, B: u32 }
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
  let width = dims.A + dims.B;
  let row = i / width;
  let at = i - row * width;
  if (at < dims.A) {
    y[i] = a[row * dims.A + at];
  } else {
    y[i] = b[row * dims.B + at - dims.A];
  }
}
