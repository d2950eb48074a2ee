// sumWorkgroup: sums over axes, one workgroup a sum.
//   y[i,k0,k1,k2] = sum over (r0, r1) in chunk i of x[k0, r0, k1, r1, k2]
// shapes      x: strides KEPT0-2, REDUCED0-1; y: [CHUNKS, OUTPUTS], OUTPUTS = K0 K1 K2; COUNT = R0 R1 terms
// workgroups  linear over (chunk of CHUNK terms, output), outputs fastest, x + y * groups.x
// invocations WG, a power of two, with 4*WG bytes of workgroup memory; lane l sums terms l, l + WG, ...
// numerics    f32; lanes are added as a tree in fixed order, chunks by a second pass: runs repeat bit for bit
// oracle      core/ops/sum.ts (reference), 1e-5 relative to sum |x|
// uses lib/reducedAxes
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims {
  OUTPUTS: u32, K1: u32, K2: u32, KEPT0: u32, KEPT1: u32, KEPT2: u32,
  COUNT: u32, R1: u32, REDUCED0: u32, REDUCED1: u32, CHUNK: u32, CHUNKS: u32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

const WG = 128u;
var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.OUTPUTS * dims.CHUNKS) { return; }
  let begin = (index / dims.OUTPUTS) * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.COUNT);
  let start = first_of(index % dims.OUTPUTS);
  var total = 0.0;
  for (var j = begin + lane; j < end; j += WG) { total += x[start + nth_of(j)]; }
  partial[lane] = total;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  if (lane == 0u) { y[index] = partial[0]; }
}
