// sumSubgroup: sums over axes, one subgroup of 8 lanes a sum.
//   y[i,k0,k1,k2] = sum over (r0, r1) in chunk i of x[k0, r0, k1, r1, k2]
// shapes      x: strides KEPT0-2, REDUCED0-1; y: [CHUNKS, OUTPUTS], OUTPUTS = K0 K1 K2; COUNT = R0 R1 terms
// workgroups  linear over (chunk of CHUNK terms, output), outputs fastest, x + y * groups.x
// invocations 8 = one subgroup; lane l sums terms l, l + 8, ...
// numerics    f32; lanes are added by subgroupAdd, chunks by a second pass: runs repeat bit for bit
// oracle      core/ops/sum.ts (reference), 1e-5 relative to sum |x|
// uses lib/reducedAxes
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims {
  OUTPUTS: u32, K1: u32, K2: u32, KEPT0: u32, KEPT1: u32, KEPT2: u32,
  COUNT: u32, R1: u32, REDUCED0: u32, REDUCED1: u32, CHUNK: u32, CHUNKS: u32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.OUTPUTS * dims.CHUNKS) { return; }
  let begin = (index / dims.OUTPUTS) * dims.CHUNK + lane;
  let end = min(begin - lane + dims.CHUNK, dims.COUNT);
  var r1 = begin % dims.R1;
  var at = first_of(index % dims.OUTPUTS) + nth_of(begin);
  // Eight terms further on, in r1 and in position; and what leads to the next r0 when r1 runs over.
  let step = 8u % dims.R1;
  let leap = nth_of(8u);
  let wrap = dims.REDUCED0 - dims.REDUCED1 * dims.R1;
  var total = 0.0;
  for (var j = begin; j < end; j += 8u) {
    total += x[at];
    at += leap;
    r1 += step;
    if (r1 >= dims.R1) {
      r1 -= dims.R1;
      at += wrap; // may be "negative": u32 wraps around
    }
  }
  let sum = subgroupAdd(total);
  if (lane == 0u) { y[index] = sum; }
}
