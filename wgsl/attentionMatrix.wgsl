// attentionMatrix: softmax(SCALE q k^T) v in tiles on subgroup matrices, without the matrix of scores.
//   y[z,n,e] = sum_m e^(s[m] - top) v[z,m,e] / sum_m e^(s[m] - top),  s[m] = SCALE sum_d q[z,n,d] k[z,m,d]
// shapes      q: [.., N, D], k: [.., M, D], v: [.., M, E], y: [BATCHES, N, E] f32; batch axes Z0 Z1 Z2, any strides
// workgroups  linear over (batch, 64 columns of v, 64 queries), x + y * groups.x; GROUPS in all
// invocations LANES = 4 subgroups of the largest size (more where they are smaller, which idle), 32 queries x 32 keys
//             or columns each; 25088 bytes of workgroup memory at most
// numerics    f32 sums, in the device's own order within MATRIX_K terms; scores are computed twice, for their maximum
//             and for the result, unless all keys fit into a tile; weights up to 1 are factors in the matrices' type
// oracle      core/ops/attention.ts (reference), 1e-5 relative to max |v|
// uses        lib/matrixTile
enable subgroups;
enable chromium_experimental_subgroup_matrix;
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

const LOWEST = -3.0e38; // finite: the difference of two infinities is no number
// [query][key]: scores, and then weights; in the end [query][column], the result.
var<workgroup> scores: array<vec4f, TILE * TILE_QUADS>;
// The largest score of each query, and the sum of its weights.
var<workgroup> tops: array<f32, TILE>;
var<workgroup> totals: array<f32, TILE>;

fn put_scores(sums: ptr<function, Sums>, quadrant: u32) {
  for (var i = 0u; i < ROWS; i++) {
    let m = quadrant / 2u * SIDE + i * MATRIX_M;
    for (var j = 0u; j < COLUMNS; j++) {
      let at = m * TILE_QUADS + (quadrant % 2u * SIDE + j * MATRIX_N) / 4u;
      subgroupMatrixStore<row_major>(&scores, at, (*sums)[i * COLUMNS + j], TILE_QUADS);
    }
  }
}

// Scores of a tile of queries and keys, not yet scaled; q_at and k_at are where queries and keys begin.
fn compute_scores(q_at: u32, n: u32, k_at: u32, m: u32, lane: u32, quadrant: u32) {
  var sums: Sums; // zeros
  for (var d = 0u; d < dims.D; d += DEPTH) {
    for (var i = lane; i < TILE * QUADS; i += LANES) {
      let depth = d + i % QUADS * 4u + vec4u(0u, 1u, 2u, 3u);
      let place = min(depth, vec4u(dims.D - 1u));
      let of_q = q_at + min(n + i / QUADS, dims.N - 1u) * dims.D + place;
      let u = vec4f(q[of_q.x], q[of_q.y], q[of_q.z], q[of_q.w]);
      rows[i] = Quad(select(vec4f(), u, depth < vec4u(dims.D)));
      let of_k = k_at + min(m + i / QUADS, dims.M - 1u) * dims.D + place;
      columns[i] = Quad(vec4f(k[of_k.x], k[of_k.y], k[of_k.z], k[of_k.w]));
    }
    workgroupBarrier();
    if (quadrant < 4u) { multiply(&sums, quadrant, true); }
    workgroupBarrier();
  }
  if (quadrant < 4u) { put_scores(&sums, quadrant); }
  workgroupBarrier();
}

// Where group j of four keys of a query is: those of neighbouring queries are at different banks.
fn key_quad(query: u32, j: u32) -> u32 { return (j + query) % TILE_QUADS; }

// Which of the four keys from m on there are.
fn are_keys(m: u32) -> vec4<bool> { return m + vec4u(0u, 1u, 2u, 3u) < vec4u(dims.M); }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) quadrant: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.GROUPS) { return; }
  let blocks = (dims.N + TILE - 1u) / TILE;
  let n = (index % blocks) * TILE;
  let parts = (dims.E + TILE - 1u) / TILE;
  let e = (index / blocks % parts) * TILE;
  let z = index / blocks / parts;
  let z2 = z % dims.Z2;
  let z1 = (z / dims.Z2) % dims.Z1;
  let z0 = z / (dims.Z2 * dims.Z1);
  let q_at = dims.Q_BASE + z0 * dims.Q0 + z1 * dims.Q1 + z2 * dims.Q2;
  let k_at = dims.K_BASE + z0 * dims.K0 + z1 * dims.K1 + z2 * dims.K2;
  let v_at = dims.V_BASE + z0 * dims.V0 + z1 * dims.V1 + z2 * dims.V2;

  for (var i = lane; i < TILE; i += LANES) {
    tops[i] = LOWEST;
    totals[i] = 0.0;
  }
  var sums: Sums; // zeros
  // All keys twice: first for the largest scores, then for the result. The place is one, as compiling it is dear.
  let tiles = (dims.M + TILE - 1u) / TILE;
  for (var step = 0u; step < 2u * tiles; step++) {
    let m = step % tiles * TILE;
    if (step == 0u || tiles > 1u) { compute_scores(q_at, n, k_at, m, lane, quadrant); }
    if (step < tiles) {
      for (var i = lane; i < TILE; i += LANES) {
        var highest = vec4f(LOWEST);
        for (var j = 0u; j < TILE_QUADS; j++) {
          let quad = key_quad(i, j);
          let s = scores[i * TILE_QUADS + quad] * dims.SCALE;
          highest = max(highest, select(vec4f(LOWEST), s, are_keys(m + quad * 4u)));
        }
        tops[i] = max(tops[i], max(max(highest.x, highest.y), max(highest.z, highest.w)));
      }
      continue;
    }
    for (var i = lane; i < TILE; i += LANES) {
      var total = vec4f();
      for (var j = 0u; j < TILE_QUADS; j++) {
        let quad = key_quad(i, j);
        let at = i * TILE_QUADS + quad;
        let weights = select(vec4f(), exp(scores[at] * dims.SCALE - tops[i]), are_keys(m + quad * 4u));
        scores[at] = weights;
        total += weights;
      }
      totals[i] += (total.x + total.y) + (total.z + total.w);
    }
    workgroupBarrier();
    for (var d = 0u; d < min(TILE, dims.M - m); d += DEPTH) {
      for (var i = lane; i < TILE * QUADS; i += LANES) {
        rows[i] = Quad(scores[i / QUADS * TILE_QUADS + d / 4u + i % QUADS]);
        // Keys that there are not have no weight, and columns that there are not are not stored.
        let column = e + i % TILE_QUADS * 4u + vec4u(0u, 1u, 2u, 3u);
        let of_v = v_at + min(m + d + i / TILE_QUADS, dims.M - 1u) * dims.E + min(column, vec4u(dims.E - 1u));
        columns[i] = Quad(vec4f(v[of_v.x], v[of_v.y], v[of_v.z], v[of_v.w]));
      }
      workgroupBarrier();
      if (quadrant < 4u) { multiply(&sums, quadrant, false); }
      workgroupBarrier();
    }
  }

  if (quadrant < 4u) { put_scores(&sums, quadrant); }
  workgroupBarrier();
  for (var i = lane; i < TILE * TILE; i += LANES) {
    let query = i / TILE;
    let column = i % TILE;
    let result = scores[i / 4u][i % 4u] / totals[query];
    if (n + query < dims.N && e + column < dims.E) {
      y[dims.Y_BASE + (z * dims.N + n + query) * dims.E + e + column] = result;
    }
  }
}
