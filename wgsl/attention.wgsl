// attention: softmax(SCALE q k^T) v, one lane a query, without the matrix of scores.
//   y[z,n,e] = sum_m e^(s[m] - top) v[z,m,e] / sum_m e^(s[m] - top),  s[m] = SCALE sum_d q[z,n,d] k[z,m,d]
// shapes      q: [.., N, D], k: [.., M, D], v: [.., M, E], y: [BATCHES, N, E] f32; batch axes Z0 Z1 Z2, any strides
// workgroups  linear over (batch, EWIDTH columns of v, WG queries), x + y * groups.x; GROUPS in all
// invocations WG; the lanes of a workgroup read the same keys and values
// numerics    online softmax over KEYS keys at a time: sum and result are scaled whenever the maximum grows
// oracle      core/ops/attention.ts (reference), 1e-5 relative to max |v|
// paper       Dao et al. 2022, FlashAttention, arXiv:2205.14135
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
struct Dims {
  N: u32, M: u32, D: u32, E: u32, GROUPS: u32, SCALE: f32,
  Q_BASE: u32, K_BASE: u32, V_BASE: u32, Y_BASE: u32, Z1: u32, Z2: u32,
  Q0: u32, Q1: u32, Q2: u32, K0: u32, K1: u32, K2: u32, V0: u32, V1: u32, V2: u32,
}
@group(0) @binding(4) var<uniform> dims: Dims;

const WG = 64u;
const KEYS = 8u;
const EWIDTH = 32u;
const LOWEST = -3.0e38; // finite: the difference of two infinities is no number

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  var rest = group.x + group.y * groups.x;
  if (rest >= dims.GROUPS) { return; }
  let blocks = (dims.N + WG - 1u) / WG;
  let n = (rest % blocks) * WG + lane;
  rest /= blocks;
  let parts = (dims.E + EWIDTH - 1u) / EWIDTH;
  let e = (rest % parts) * EWIDTH;
  let z = rest / parts;
  let z2 = z % dims.Z2;
  let z1 = (z / dims.Z2) % dims.Z1;
  let z0 = z / (dims.Z2 * dims.Z1);
  if (n >= dims.N) { return; }
  let q_at = dims.Q_BASE + z0 * dims.Q0 + z1 * dims.Q1 + z2 * dims.Q2 + n * dims.D;
  let k_at = dims.K_BASE + z0 * dims.K0 + z1 * dims.K1 + z2 * dims.K2;
  let v_at = dims.V_BASE + z0 * dims.V0 + z1 * dims.V1 + z2 * dims.V2 + e;
  let y_at = dims.Y_BASE + (z * dims.N + n) * dims.E + e;
  let width = min(EWIDTH, dims.E - e);

  var result: array<f32, EWIDTH>;
  var top = LOWEST;
  var sum = 0.0;
  for (var m = 0u; m < dims.M; m += KEYS) {
    let count = min(KEYS, dims.M - m);
    var s = array<f32, KEYS>();
    for (var d = 0u; d < dims.D; d++) {
      let x = q[q_at + d] * dims.SCALE;
      for (var j = 0u; j < KEYS; j++) {
        s[j] = fma(x, k[k_at + min(m + j, dims.M - 1u) * dims.D + d], s[j]);
      }
    }
    var higher = top;
    for (var j = 0u; j < KEYS; j++) { higher = select(higher, max(higher, s[j]), j < count); }
    let shrink = exp(top - higher);
    top = higher;
    sum *= shrink;
    for (var j = 0u; j < KEYS; j++) {
      s[j] = select(0.0, exp(s[j] - top), j < count);
      sum += s[j];
    }
    for (var i = 0u; i < EWIDTH; i++) {
      if (i < width) {
        var value = result[i] * shrink;
        for (var j = 0u; j < KEYS; j++) {
          value = fma(s[j], v[v_at + min(m + j, dims.M - 1u) * dims.E + i], value);
        }
        result[i] = value;
      }
    }
  }
  for (var i = 0u; i < EWIDTH; i++) {
    if (i < width) { y[y_at + i] = result[i] / sum; }
  }
}
