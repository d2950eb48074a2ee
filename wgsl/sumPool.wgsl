// sumPool: sums over blocks of FACTOR x FACTOR pixels.
//   y[n, p, q] = scale * sum over r, s < FACTOR of x[n, p FACTOR + r, q FACTOR + s]
// shapes      x: [N, H, W], y: [N, OH, OW] with H = OH FACTOR, W = OW FACTOR; N: all leading axes
// workgroups  linear over the COUNT elements of y, WG per workgroup
// invocations WG: one element of y each
// numerics    f32, rows then columns ascending: runs repeat bit for bit
// oracle      core/ops/sumPool.ts (reference), 1e-6 relative to sum |x|
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
  let row = i / dims.OW;
  let corner = (row * dims.W + i - row * dims.OW) * dims.FACTOR;
  var sum = 0.0;
  for (var r = 0u; r < dims.FACTOR; r++) {
    for (var s = 0u; s < dims.FACTOR; s++) { sum += x[corner + r * dims.W + s]; }
  }
  y[i] = dims.scale * sum;
}
