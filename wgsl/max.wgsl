// max: largest elements over axes, one lane a result.
//   y[i,k0,k1,k2] = max over (r0, r1) in chunk i of x[k0, r0, k1, r1, k2]
// shapes      x: strides KEPT0-2, REDUCED0-1; y: [CHUNKS, OUTPUTS], OUTPUTS = K0 K1 K2; COUNT = R0 R1 >= 1 elements
// workgroups  linear, x + y * groups.x; 64 results each
// invocations one per (chunk of CHUNK elements, output), outputs fastest
// numerics    exact, f32 or, with INTEGER, i32: compares bits made sortable, so NaN wins whatever WGSL makes of it
// oracle      core/ops/max.ts (reference), exact
// uses lib/reducedAxes
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
struct Dims {
  OUTPUTS: u32, K1: u32, K2: u32, KEPT0: u32, KEPT1: u32, KEPT2: u32,
  COUNT: u32, R1: u32, REDUCED0: u32, REDUCED1: u32, CHUNK: u32, CHUNKS: u32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

override INTEGER: bool = false;

const SIGN = 0x80000000u;
const INFINITY = 0x7f800000u;

// Bits in the order of the numbers: of negative floats all flipped, of the rest the sign alone. Any NaN is the largest.
fn sortable(bits: u32) -> u32 {
  if (INTEGER) { return bits ^ SIGN; }
  if ((bits & ~SIGN) > INFINITY) { return ~0u; }
  return select(bits | SIGN, ~bits, bits >= SIGN);
}

fn number(key: u32) -> u32 {
  if (INTEGER) { return key ^ SIGN; }
  return select(~key, key ^ SIGN, key >= SIGN);
}

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
  let wrap = dims.REDUCED0 - dims.REDUCED1 * dims.R1;
  var largest = 0u;
  for (var j = begin; j < end; j++) {
    largest = max(largest, sortable(x[at]));
    at += dims.REDUCED1;
    r1 += 1u;
    if (r1 == dims.R1) {
      r1 = 0u;
      at += wrap; // may be "negative": u32 wraps around
    }
  }
  y[index] = number(largest);
}
