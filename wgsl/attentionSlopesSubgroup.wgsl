// attentionSlopesSubgroup: probabilities of attention and slopes of its logits, a row at a time on a subgroup of 8 lanes.
//   p[m] = e^(s[m] - top) / sum_j e^(s[j] - top),  ds[m] = SCALE p[m] (dp[m] - sum_e dy[e] o[e])
// shapes      o, dy: [ROWS, 4*E4] f32; p: [ROWS, 4*M4], s before and p after; ds: [ROWS, 4*M4], dp before and ds after
// workgroups  linear, x + y * groups.x; PER rows each, as starting one costs as much as a short row
// invocations 8 = one subgroup; lane l takes vec4 l, l + 8, ...
// numerics    one pass for maximum and sum, which is scaled whenever the maximum grows
// oracle      none of its own: the gradients are held to core/ops/attentionGrad.ts
// paper       Milakov, Gimelshein 2018, Online normalizer calculation for softmax, arXiv:1805.02867
enable subgroups;
@group(0) @binding(0) var<storage, read> o: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> p: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> ds: array<vec4f>;
struct Dims { ROWS: u32, PER: u32, M4: u32, E4: u32, SCALE: f32 }
@group(0) @binding(4) var<uniform> dims: Dims;

const LOWEST = -3.0e38; // finite: the difference of two infinities is no number

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * dims.PER;
  for (var row = first; row < min(first + dims.PER, dims.ROWS); row++) {
    let start = row * dims.M4;
    let outer = row * dims.E4;
    var level = 0.0;
    for (var e = lane; e < dims.E4; e += 8u) { level += dot(dy[outer + e], o[outer + e]); }
    level = subgroupAdd(level);
    var top = LOWEST;
    var sum = 0.0;
    for (var i = lane; i < dims.M4; i += 8u) {
      let v = p[start + i];
      let higher = max(top, max(max(v.x, v.y), max(v.z, v.w)));
      sum = fma(sum, exp(top - higher), dot(exp(v - higher), vec4f(1.0)));
      top = higher;
    }
    let highest = subgroupMax(top);
    let scale = 1.0 / subgroupAdd(sum * exp(top - highest));
    for (var i = lane; i < dims.M4; i += 8u) {
      let weight = exp(p[start + i] - highest) * scale;
      p[start + i] = weight;
      ds[start + i] = weight * (ds[start + i] - level) * dims.SCALE;
    }
  }
}
