// upsampleNearest: every pixel becomes a block of FACTOR x FACTOR pixels.
//   y[n, h, w] = scale * x[n, h / FACTOR, w / FACTOR]
// shapes      x: [N, H, W], y: [N, OH, OW] with OH = H FACTOR, OW = W FACTOR; N: all leading axes
// workgroups  linear over the COUNT elements of y, WG per workgroup
// invocations WG: one element each
// numerics    f32, one product
// oracle      core/ops/upsampleNearest.ts (reference), 1e-6 relative
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims { COUNT: u32, OW: u32, W: u32, FACTOR: u32, scale: f32 }
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
  // H is a whole number of rows, so the row over all images can be divided as one.
  let row = i / dims.OW;
  y[i] = dims.scale * x[row / dims.FACTOR * dims.W + (i - row * dims.OW) / dims.FACTOR];
}
