// attentionGradKeys: gradients of attention to its keys and values, tile by tile, without the matrix of probabilities.
//   dk[z,m,d] = sum_n ds[n,m] q[z,n,d],  dv[z,m,e] = sum_n p[n,m] dy[z,n,e],  p[n,m] = e^(SCALE q k^T - lse[n]),
//   ds = SCALE p (dy v^T - level[n]);  lse and level come from attentionGradQueries
// shapes      q: [Z, N, D] f32, k: [Z, M, D], v: [Z, M, E], dy: [Z, N, E]; stats: [Z, N, 2] of lse and level;
//             all: dk [Z, M, D] from DK on, dv [Z, M, E] from DV on; any sizes >= 1
// workgroups  linear over (matrix, WIDTH columns of dk and of dv, 32 keys), x + y * groups.x; GROUPS in all
// invocations 64 = 8 x 8, 4 keys x 4 queries and 4 keys x WIDTH / 8 columns twice each; 9472 bytes of workgroup memory
// numerics    f32 fma, n ascending
// oracle      core/ops/attentionGrad.ts (reference), 1e-5 relative to max |dk|, |dv|
// paper       Dao et al. 2022, FlashAttention, arXiv:2205.14135
// uses lib/attentionTile
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read> stats: array<f32>;
@group(0) @binding(5) var<storage, read_write> all: array<f32>;
struct Dims { N: u32, M: u32, D: u32, E: u32, GROUPS: u32, SCALE: f32, DK: u32, DV: u32 }
@group(0) @binding(6) var<uniform> dims: Dims;

override WIDTH: u32 = 32u;

// One depth of keys and queries; past the edge of rows the last one, past that of d zeros.
fn load_kq(m: u32, n: u32, k_at: u32, q_at: u32, from_d: u32, lane: u32) {
  let d = from_d + lane % DEPTH;
  let inner = min(d, dims.D - 1u);
  for (var item = lane / DEPTH; item < TILE; item += 4u) {
    let a = k[k_at + min(m + item, dims.M - 1u) * dims.D + inner];
    let b = q[q_at + min(n + item, dims.N - 1u) * dims.D + inner];
    operands[place_of(item, lane % DEPTH)] = select(0.0, a, d < dims.D);
    operands[RIGHT + place_of(item, lane % DEPTH)] = select(0.0, b, d < dims.D);
  }
}

// The same of values and cotangents.
fn load_v_dy(m: u32, n: u32, v_at: u32, y_at: u32, from_e: u32, lane: u32) {
  let e = from_e + lane % DEPTH;
  let inner = min(e, dims.E - 1u);
  for (var item = lane / DEPTH; item < TILE; item += 4u) {
    let a = v[v_at + min(m + item, dims.M - 1u) * dims.E + inner];
    let b = dy[y_at + min(n + item, dims.N - 1u) * dims.E + inner];
    operands[place_of(item, lane % DEPTH)] = select(0.0, a, e < dims.E);
    operands[RIGHT + place_of(item, lane % DEPTH)] = select(0.0, b, e < dims.E);
  }
}

fn store_row(start: u32, m: u32, column: u32, columns: u32, value: vec4f) {
  if (m >= dims.M) { return; }
  for (var i = 0u; i < 4u; i++) {
    if (column + i < columns) { all[start + m * columns + column + i] = value[i]; }
  }
}

fn store(start: u32, m: u32, column: u32, columns: u32, tile: Rows) {
  store_row(start, m, column, columns, tile.r0);
  store_row(start, m + 1u, column, columns, tile.r1);
  store_row(start, m + 2u, column, columns, tile.r2);
  store_row(start, m + 3u, column, columns, tile.r3);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.GROUPS) { return; }
  let blocks = (dims.M + TILE - 1u) / TILE;
  let parts = (max(dims.D, dims.E) + WIDTH - 1u) / WIDTH;
  let m = index % blocks * TILE;
  let column = index / blocks % parts * WIDTH;
  let z = index / (blocks * parts);
  let q_at = z * dims.N * dims.D;
  let k_at = z * dims.M * dims.D;
  let v_at = z * dims.M * dims.E;
  let y_at = z * dims.N * dims.E;

  var dk = Rows();
  var dv = Rows();
  var more_dk = Rows(); // of columns WIDTH / 2 .. WIDTH - 1, where they are 64
  var more_dv = Rows();
  for (var n = 0u; n < dims.N; n += TILE) {
    var s = Rows();
    for (var d = 0u; d < dims.D; d += DEPTH) {
      workgroupBarrier(); // what was there is read
      load_kq(m, n, k_at, q_at, d, lane);
      workgroupBarrier();
      s = plus_product(s, lane);
    }
    var dp = Rows();
    for (var e = 0u; e < dims.E; e += DEPTH) {
      workgroupBarrier();
      load_v_dy(m, n, v_at, y_at, e, lane);
      workgroupBarrier();
      dp = plus_product(dp, lane);
    }
    let query = n + lane % 8u * 4u;
    let queries = vec4u(query, query + 1u, query + 2u, query + 3u);
    let at = (vec4u(z * dims.N) + min(queries, vec4u(dims.N - 1u))) * 2u;
    let lse = vec4f(stats[at.x], stats[at.y], stats[at.z], stats[at.w]);
    let level = vec4f(stats[at.x + 1u], stats[at.y + 1u], stats[at.z + 1u], stats[at.w + 1u]);
    // Queries past the last one have no weight, whatever their numbers are.
    let is_live = queries < vec4u(dims.N);
    let p = Rows(
      select(vec4f(), exp(s.r0 * dims.SCALE - lse), is_live),
      select(vec4f(), exp(s.r1 * dims.SCALE - lse), is_live),
      select(vec4f(), exp(s.r2 * dims.SCALE - lse), is_live),
      select(vec4f(), exp(s.r3 * dims.SCALE - lse), is_live),
    );
    keep(p, lane);
    for (var first = 0u; first < TILE; first += DEPTH) {
      workgroupBarrier();
      for (var i = lane; i < DEPTH * WIDTH; i += 64u) {
        let row = min(n + first + i / WIDTH, dims.N - 1u);
        operands[i] = dy[y_at + row * dims.E + min(column + i % WIDTH, dims.E - 1u)];
      }
      workgroupBarrier();
      dv = plus_weighted(dv, lane, first, 0u);
      if (WIDTH > TILE) { more_dv = plus_weighted(more_dv, lane, first, TILE); }
    }
    workgroupBarrier();
    keep(
      Rows(
        p.r0 * (dp.r0 - level),
        p.r1 * (dp.r1 - level),
        p.r2 * (dp.r2 - level),
        p.r3 * (dp.r3 - level),
      ),
      lane,
    );
    for (var first = 0u; first < TILE; first += DEPTH) {
      workgroupBarrier();
      for (var i = lane; i < DEPTH * WIDTH; i += 64u) {
        let row = min(n + first + i / WIDTH, dims.N - 1u);
        operands[i] = q[q_at + row * dims.D + min(column + i % WIDTH, dims.D - 1u)];
      }
      workgroupBarrier();
      dk = plus_weighted(dk, lane, first, 0u);
      if (WIDTH > TILE) { more_dk = plus_weighted(more_dk, lane, first, TILE); }
    }
  }
  let row = m + lane / 8u * 4u;
  let first = column + lane % 8u * 4u;
  let scale = vec4f(dims.SCALE);
  store(dims.DK + k_at, row, first, dims.D, times_rows(dk, scale));
  store(dims.DV + v_at, row, first, dims.E, dv);
  if (WIDTH > TILE) {
    store(dims.DK + k_at, row, first + TILE, dims.D, times_rows(more_dk, scale));
    store(dims.DV + v_at, row, first + TILE, dims.E, more_dv);
  }
}
