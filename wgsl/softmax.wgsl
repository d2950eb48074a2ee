// softmax: e^(x - max) / sum of these, one workgroup a row.
//   y[i] = e^(x[i] - max_j x[j]) / sum_j e^(x[j] - max_k x[k])
// shapes      x, y: [ROWS, N] f32; any N >= 1
// workgroups  linear over rows, x + y * groups.x
// invocations WG, a power of two; 8*WG bytes of workgroup memory
// numerics    one pass for maximum and sum, which is scaled whenever the maximum grows; lanes joined in fixed order
// oracle      core/ops/softmax.ts (reference), 1e-5 relative
// paper       Milakov, Gimelshein 2018, Online normalizer calculation for softmax, arXiv:1805.02867
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims { ROWS: u32, N: u32 }
@group(0) @binding(2) var<uniform> dims: Dims;

const WG = 64u;
const LOWEST = -3.0e38; // finite: the difference of two infinities is no number
// Maximum, and sum of exponentials below it.
var<workgroup> parts: array<vec2f, WG>;

fn join(a: vec2f, b: vec2f) -> vec2f {
  let top = max(a.x, b.x);
  return vec2f(top, a.y * exp(a.x - top) + b.y * exp(b.x - top));
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.x + group.y * groups.x;
  if (row >= dims.ROWS) { return; }
  let start = row * dims.N;
  var own = vec2f(LOWEST, 0.0);
  for (var i = lane; i < dims.N; i += WG) { own = join(own, vec2f(x[start + i], 1.0)); }
  parts[lane] = own;
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { parts[lane] = join(parts[lane], parts[lane + half]); }
  }
  workgroupBarrier();
  let all = parts[0];
  let scale = 1.0 / all.y;
  for (var i = lane; i < dims.N; i += WG) { y[start + i] = exp(x[start + i] - all.x) * scale; }
}
