// softmaxRows: e^(x - max) / sum of these, one lane per row, for short rows.
//   y[i] = e^(x[i] - max_j x[j]) / sum_j e^(x[j] - max_k x[k])
// shapes      x, y: [ROWS, N] f32; any N >= 1
// workgroups  linear, x + y * groups.x; 64 rows each
// invocations one per row
// numerics    the maximum first, then the sum in order
// oracle      core/ops/softmax.ts (reference), 1e-5 relative
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims { ROWS: u32, N: u32 }
@group(0) @binding(2) var<uniform> dims: Dims;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = (group.x + group.y * groups.x) * 64u + lane;
  if (row >= dims.ROWS) { return; }
  let start = row * dims.N;
  var top = x[start];
  for (var i = 1u; i < dims.N; i++) { top = max(top, x[start + i]); }
  var sum = 0.0;
  for (var i = 0u; i < dims.N; i++) { sum += exp(x[start + i] - top); }
  let scale = 1.0 / sum;
  for (var i = 0u; i < dims.N; i++) { y[start + i] = exp(x[start + i] - top) * scale; }
}
