// maxPool2d: the largest pixel of every window.
//   y[n, p, q] = max over r < R, s < S of x[n, p STRIDE_H + r - PAD_H, q STRIDE_W + s - PAD_W], where that is inside
// shapes      x: [N, H, W], y: [N, OH, OW], N: all leading axes; every window reaches inside
// workgroups  linear over the COUNT elements of y, WG per workgroup
// invocations WG: one element of y each
// numerics    exact; NaN wins
// oracle      core/ops/maxPool2d.ts (reference), exact
// uses lib/order
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims {
  COUNT: u32, H: u32, W: u32, OH: u32, OW: u32, R: u32, S: u32, STRIDE_H: u32, STRIDE_W: u32, PAD_H: u32, PAD_W: u32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

const WG = 64u;

// A pixel outside is replaced by the nearest inside, which is in the same window.
fn inside(at: u32, pad: u32, size: u32) -> u32 {
  return min(max(at, pad) - pad, size - 1u);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let i = (group.x + group.y * groups.x) * WG + lane;
  if (i >= dims.COUNT) { return; }
  let row = i / dims.OW;
  let left = (i - row * dims.OW) * dims.STRIDE_W;
  let image = row / dims.OH;
  let top = (row - image * dims.OH) * dims.STRIDE_H;
  var largest = x[(image * dims.H + inside(top, dims.PAD_H, dims.H)) * dims.W + inside(left, dims.PAD_W, dims.W)];
  for (var r = 0u; r < dims.R; r++) {
    let first = (image * dims.H + inside(top + r, dims.PAD_H, dims.H)) * dims.W;
    for (var s = 0u; s < dims.S; s++) { largest = larger(largest, x[first + inside(left + s, dims.PAD_W, dims.W)]); }
  }
  y[i] = largest;
}
