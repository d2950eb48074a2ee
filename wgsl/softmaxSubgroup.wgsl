// softmaxSubgroup: e^(x - max) / sum of these, a row at a time on a subgroup of 8 lanes.
//   y[i] = e^(x[i] - max_j x[j]) / sum_j e^(x[j] - max_k x[k])
// shapes      x, y: [ROWS, 4*N4] f32
// workgroups  linear, x + y * groups.x; PER rows each, as starting one costs as much as a short row
// invocations 8 = one subgroup; lane l takes vec4 l, l + 8, ...
// numerics    one pass for maximum and sum, which is scaled whenever the maximum grows
// oracle      core/ops/softmax.ts (reference), 1e-5 relative
// paper       Milakov, Gimelshein 2018, Online normalizer calculation for softmax, arXiv:1805.02867
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
struct Dims { ROWS: u32, PER: u32, N4: u32 }
@group(0) @binding(2) var<uniform> dims: Dims;

const LOWEST = -3.0e38; // finite: the difference of two infinities is no number

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * dims.PER;
  for (var row = first; row < min(first + dims.PER, dims.ROWS); row++) {
    let start = row * dims.N4;
    var top = LOWEST;
    var sum = 0.0;
    for (var i = lane; i < dims.N4; i += 8u) {
      let v = x[start + i];
      let higher = max(top, max(max(v.x, v.y), max(v.z, v.w)));
      sum = fma(sum, exp(top - higher), dot(exp(v - higher), vec4f(1.0)));
      top = higher;
    }
    let highest = subgroupMax(top);
    let scale = 1.0 / subgroupAdd(sum * exp(top - highest));
    for (var i = lane; i < dims.N4; i += 8u) { y[start + i] = exp(x[start + i] - highest) * scale; }
  }
}
