// sum: sums over axes, one lane a sum.
//   y[i,k0,k1,k2] = sum over (r0, r1) in chunk i of x[k0, r0, k1, r1, k2]
// shapes      x: strides KEPT0-2, REDUCED0-1; y: [CHUNKS, OUTPUTS], OUTPUTS = K0 K1 K2; COUNT = R0 R1 terms
// workgroups  linear, x + y * groups.x; 64 sums each
// invocations one per (chunk of CHUNK terms, output), outputs fastest
// numerics    f32 or, with INTEGER, i32; terms in order, chunks are added by a second pass: runs repeat bit for bit
// oracle      core/ops/sum.ts (reference), 1e-5 relative to sum |x|; i32 exact
// uses lib/reducedAxes
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
struct Dims {
  OUTPUTS: u32, K1: u32, K2: u32, KEPT0: u32, KEPT1: u32, KEPT2: u32,
  COUNT: u32, R1: u32, REDUCED0: u32, REDUCED1: u32, CHUNK: u32, CHUNKS: u32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

override INTEGER: bool = false;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * 64u + lane;
  if (index >= dims.OUTPUTS * dims.CHUNKS) { return; }
  let begin = (index / dims.OUTPUTS) * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.COUNT);
  var r1 = begin % dims.R1;
  var at = first_of(index % dims.OUTPUTS) + nth_of(begin);
  // Divided out once: the position then moves by a step, or by that which leads to the next r0.
  let wrap = dims.REDUCED0 - dims.REDUCED1 * dims.R1;
  var real = 0.0;
  var whole = 0i;
  for (var j = begin; j < end; j++) {
    if (INTEGER) { whole += bitcast<i32>(x[at]); } else { real += bitcast<f32>(x[at]); }
    at += dims.REDUCED1;
    r1 += 1u;
    if (r1 == dims.R1) {
      r1 = 0u;
      at += wrap; // may be "negative": u32 wraps around
    }
  }
  y[index] = select(bitcast<u32>(real), bitcast<u32>(whole), INTEGER);
}
