// normalizeGradSubgroup: gradient of normalize, a row at a time on a subgroup of 8 lanes.
//   dx = scale (dy - mean(dy) - y mean(dy y)),  y = (x - mean(x)) scale,  scale = 1 / sqrt(var(x) + EPS)
// shapes      x, dy, dx: [ROWS, 4*N4] f32
// workgroups  linear, x + y * groups.x; PER rows each, as starting one costs as much as a short row
// invocations 8 = one subgroup; lane l takes vec4 l, l + 8, ...
// numerics    moments of x less the row's first element and of dy, joined four at a time (Chan et al.)
// oracle      core/ops/normalize.ts (reference), 1e-5 of the row's largest
// paper       Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
struct Dims { ROWS: u32, PER: u32, N4: u32, EPS: f32 }
@group(0) @binding(3) var<uniform> dims: Dims;

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.x + group.y * groups.x) * dims.PER;
  for (var row = first; row < min(first + dims.PER, dims.ROWS); row++) {
    let start = row * dims.N4;
    let shift = x[start].x;
    var mean = vec2f(); // of x - shift and of dy, in what this lane has seen
    var squares = 0.0; // sum of squared distances of x from its mean
    var products = 0.0; // sum of products of the distances of x and dy from theirs
    var count = 0.0;
    for (var i = lane; i < dims.N4; i += 8u) {
      let v = x[start + i] - shift;
      let w = dy[start + i];
      let center = vec2f(dot(v, vec4f(0.25)), dot(w, vec4f(0.25)));
      let d = v - center.x;
      let delta = center - mean;
      let share = 4.0 / (count + 4.0);
      mean = fma(delta, vec2f(share), mean);
      squares += dot(d, d) + delta.x * delta.x * count * share;
      products += dot(d, w - center.y) + delta.x * delta.y * count * share;
      count += 4.0;
    }
    let n = 4.0 * f32(dims.N4);
    let center = subgroupAdd(mean * count) / n;
    let delta = mean - center;
    let variance = subgroupAdd(squares + delta.x * delta.x * count) / n;
    let scale = inverseSqrt(variance + dims.EPS);
    // mean(dy y) scale, as the co-moment does not feel that dy is not centred.
    let slope = subgroupAdd(products + delta.x * delta.y * count) / n * scale * scale;
    for (var i = lane; i < dims.N4; i += 8u) {
      let v = x[start + i] - shift - center.x;
      dx[start + i] = scale * (dy[start + i] - center.y - v * slope);
    }
  }
}
