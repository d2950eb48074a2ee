// attentionGradQueries: gradient of attention to its queries, tile by tile, without the matrix of probabilities.
//   dq[z,n,d] = sum_m ds[n,m] k[z,m,d],  ds = SCALE p (dp - level),  p[n,m] = e^(s[n,m] - lse[n]),  s = SCALE q k^T,
//   dp = dy v^T,  level[n] = sum_e dy[n,e] o[n,e];  lse and level are kept for attentionGradKeys
// shapes      q: [Z, N, D] f32, k: [Z, M, D], v: [Z, M, E], o, dy: [Z, N, E]; stats: [Z, N, 2] of lse and level;
//             all: dq [Z, N, D], and what it leaves alone; any sizes >= 1
// workgroups  linear over (matrix, WIDTH columns of dq, 32 queries), x + y * groups.x; GROUPS in all
// invocations 64 = 8 x 8, 4 queries x 4 keys and 4 queries x WIDTH / 8 columns each; 9472 bytes of workgroup memory
// numerics    online softmax over 32 keys at a time: sums are scaled whenever the maximum grows; f32 fma, m ascending
// oracle      core/ops/attentionGrad.ts (reference), 1e-5 relative to max |dq|
// paper       Dao et al. 2022, FlashAttention, arXiv:2205.14135
// uses lib/attentionTile
@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> k: array<f32>;
@group(0) @binding(2) var<storage, read> v: array<f32>;
@group(0) @binding(3) var<storage, read> o: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;
@group(0) @binding(6) var<storage, read_write> all: array<f32>;
struct Dims { N: u32, M: u32, D: u32, E: u32, GROUPS: u32, SCALE: f32 }
@group(0) @binding(7) var<uniform> dims: Dims;

override WIDTH: u32 = 32u;

// One depth of queries and keys; past the edge of rows the last one, past that of d zeros.
fn load_qk(n: u32, m: u32, q_at: u32, k_at: u32, from_d: u32, lane: u32) {
  let d = from_d + lane % DEPTH;
  let inner = min(d, dims.D - 1u);
  for (var item = lane / DEPTH; item < TILE; item += 4u) {
    let a = q[q_at + min(n + item, dims.N - 1u) * dims.D + inner];
    let b = k[k_at + min(m + item, dims.M - 1u) * dims.D + inner];
    operands[place_of(item, lane % DEPTH)] = select(0.0, a, d < dims.D);
    operands[RIGHT + place_of(item, lane % DEPTH)] = select(0.0, b, d < dims.D);
  }
}

// The same of cotangents and values.
fn load_dy_v(n: u32, m: u32, y_at: u32, v_at: u32, from_e: u32, lane: u32) {
  let e = from_e + lane % DEPTH;
  let inner = min(e, dims.E - 1u);
  for (var item = lane / DEPTH; item < TILE; item += 4u) {
    let a = dy[y_at + min(n + item, dims.N - 1u) * dims.E + inner];
    let b = v[v_at + min(m + item, dims.M - 1u) * dims.E + inner];
    operands[place_of(item, lane % DEPTH)] = select(0.0, a, e < dims.E);
    operands[RIGHT + place_of(item, lane % DEPTH)] = select(0.0, b, e < dims.E);
  }
}

// One eighth of level, for four queries.
fn own_level(n: u32, y_at: u32, lane: u32) -> vec4f {
  var level = vec4f();
  for (var i = 0u; i < 4u; i++) {
    let at = y_at + min(n + lane / 8u * 4u + i, dims.N - 1u) * dims.E;
    for (var e = lane % 8u; e < dims.E; e += 8u) { level[i] = fma(dy[at + e], o[at + e], level[i]); }
  }
  return level;
}

fn highest(v: vec4f) -> f32 { return max(max(v.x, v.y), max(v.z, v.w)); }

fn store_row(n: u32, column: u32, start: u32, value: vec4f) {
  if (n >= dims.N) { return; }
  for (var i = 0u; i < 4u; i++) {
    if (column + i < dims.D) { all[start + n * dims.D + column + i] = value[i]; }
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.GROUPS) { return; }
  let blocks = (dims.N + TILE - 1u) / TILE;
  let parts = (dims.D + WIDTH - 1u) / WIDTH;
  let n = index % blocks * TILE;
  let column = index / blocks % parts * WIDTH;
  let z = index / (blocks * parts);
  let q_at = z * dims.N * dims.D;
  let k_at = z * dims.M * dims.D;
  let v_at = z * dims.M * dims.E;
  let y_at = z * dims.N * dims.E;

  share(own_level(n, y_at, lane), lane);
  workgroupBarrier();
  let level = shared_sums(lane);
  var top = vec4f(LOWEST);
  var sum = vec4f(); // of this invocation's keys
  var result = Rows();
  var more = Rows(); // of columns WIDTH / 2 .. WIDTH - 1, where they are 64
  for (var m = 0u; m < dims.M; m += TILE) {
    var s = Rows();
    for (var d = 0u; d < dims.D; d += DEPTH) {
      workgroupBarrier(); // what was there is read
      load_qk(n, m, q_at, k_at, d, lane);
      workgroupBarrier();
      s = plus_product(s, lane);
    }
    var dp = Rows();
    for (var e = 0u; e < dims.E; e += DEPTH) {
      workgroupBarrier();
      load_dy_v(n, m, y_at, v_at, e, lane);
      workgroupBarrier();
      dp = plus_product(dp, lane);
    }
    let key = m + lane % 8u * 4u;
    let is_live = vec4u(key, key + 1u, key + 2u, key + 3u) < vec4u(dims.M);
    s.r0 = select(vec4f(LOWEST), s.r0 * dims.SCALE, is_live);
    s.r1 = select(vec4f(LOWEST), s.r1 * dims.SCALE, is_live);
    s.r2 = select(vec4f(LOWEST), s.r2 * dims.SCALE, is_live);
    s.r3 = select(vec4f(LOWEST), s.r3 * dims.SCALE, is_live);
    // `shares` was read before the barriers above.
    share(vec4f(highest(s.r0), highest(s.r1), highest(s.r2), highest(s.r3)), lane);
    workgroupBarrier();
    let higher = max(top, shared_tops(lane));
    let shrink = exp(top - higher);
    top = higher;
    let p = Rows(exp(s.r0 - top.x), exp(s.r1 - top.y), exp(s.r2 - top.z), exp(s.r3 - top.w));
    let ones = vec4f(1.0);
    sum = fma(sum, shrink, vec4f(dot(p.r0, ones), dot(p.r1, ones), dot(p.r2, ones), dot(p.r3, ones)));
    keep(
      Rows(
        p.r0 * (dp.r0 - level.x),
        p.r1 * (dp.r1 - level.y),
        p.r2 * (dp.r2 - level.z),
        p.r3 * (dp.r3 - level.w),
      ),
      lane,
    );
    result = times_rows(result, shrink);
    if (WIDTH > TILE) { more = times_rows(more, shrink); }
    for (var first = 0u; first < TILE; first += DEPTH) {
      workgroupBarrier();
      for (var i = lane; i < DEPTH * WIDTH; i += 64u) {
        // Rows past the last key have weights of 0, columns past D are not stored.
        let row = min(m + first + i / WIDTH, dims.M - 1u);
        operands[i] = k[k_at + row * dims.D + min(column + i % WIDTH, dims.D - 1u)];
      }
      workgroupBarrier();
      result = plus_weighted(result, lane, first, 0u);
      if (WIDTH > TILE) { more = plus_weighted(more, lane, first, TILE); }
    }
  }
  workgroupBarrier();
  share(sum, lane);
  workgroupBarrier();
  let total = shared_sums(lane);
  let factor = dims.SCALE / total;
  result = times_rows(result, factor);
  let row = n + lane / 8u * 4u;
  let first = column + lane % 8u * 4u;
  store_row(row, first, q_at, result.r0);
  store_row(row + 1u, first, q_at, result.r1);
  store_row(row + 2u, first, q_at, result.r2);
  store_row(row + 3u, first, q_at, result.r3);
  if (WIDTH > TILE) {
    more = times_rows(more, factor);
    store_row(row, first + TILE, q_at, more.r0);
    store_row(row + 1u, first + TILE, q_at, more.r1);
    store_row(row + 2u, first + TILE, q_at, more.r2);
    store_row(row + 3u, first + TILE, q_at, more.r3);
  }
  // The part of the first columns writes what belongs to the rows, one invocation a row.
  if (column > 0u || lane % 8u > 0u) { return; }
  let lse = top + log(total);
  for (var i = 0u; i < 4u; i++) {
    if (row + i >= dims.N) { return; }
    let at = (z * dims.N + row + i) * 2u;
    stats[at] = lse[i];
    stats[at + 1u] = level[i];
  }
}
