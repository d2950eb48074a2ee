// attentionSlopes: probabilities of attention and slopes of its logits from scores, one workgroup a row.
//   p[m] = e^(s[m] - top) / sum_j e^(s[j] - top),  ds[m] = SCALE p[m] (dp[m] - sum_e dy[e] o[e])
// shapes      o, dy: [ROWS, E] f32; p: [ROWS, M], s before and p after; ds: [ROWS, M], dp before and ds after; E, M >= 1
// workgroups  linear over rows, x + y * groups.x
// invocations WG, a power of two; a lane comes back to its own elements; 12*WG bytes of workgroup memory, and padding
// numerics    one pass for maximum and sum, which is scaled whenever the maximum grows; lanes joined in fixed order
// oracle      none of its own: the gradients are held to core/ops/attentionGrad.ts
// paper       Milakov, Gimelshein 2018, Online normalizer calculation for softmax, arXiv:1805.02867
@group(0) @binding(0) var<storage, read> o: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> p: array<f32>;
@group(0) @binding(3) var<storage, read_write> ds: array<f32>;
struct Dims { ROWS: u32, M: u32, E: u32, SCALE: f32 }
@group(0) @binding(4) var<uniform> dims: Dims;

const WG = 64u;
const LOWEST = -3.0e38; // finite: the difference of two infinities is no number
// Maximum, sum of exponentials below it, and sum of products.
var<workgroup> parts: array<vec3f, WG>;

fn join(a: vec3f, b: vec3f) -> vec3f {
  let top = max(a.x, b.x);
  return vec3f(top, a.y * exp(a.x - top) + b.y * exp(b.x - top), a.z + b.z);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= dims.ROWS) { return; }
  let start = row * dims.M;
  let outer = row * dims.E;
  var own = vec3f(LOWEST, 0.0, 0.0);
  for (var i = lane; i < dims.M; i += WG) { own = join(own, vec3f(p[start + i], 1.0, 0.0)); }
  for (var e = lane; e < dims.E; e += WG) { own.z = fma(dy[outer + e], o[outer + e], own.z); }
  parts[lane] = own;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { parts[lane] = join(parts[lane], parts[lane + half]); }
  }
  workgroupBarrier();
  let all = parts[0];
  for (var i = lane; i < dims.M; i += WG) {
    let weight = exp(p[start + i] - all.x) / all.y;
    p[start + i] = weight;
    ds[start + i] = dims.SCALE * weight * (ds[start + i] - all.z);
  }
}
