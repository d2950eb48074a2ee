// matmulTile: matrix product in tiles of 64 x 64 through workgroup memory; both operands are read through strides.
//   c[i,z,m,n] = scale * sum_k a[z,m,k] * b[z,k,n], k within chunk i of CHUNK
// shapes      a, b: strided views, batch axes Z0 Z1 Z2; c: [CHUNKS, BATCHES, M, N] dense; any M, N, K >= 1
// workgroups  linear over (chunk, batch, row tile, column tile), x + y * groups.x; TILES in all
// invocations 256 = 16 x 16, 4 x 4 outputs each; 8320 bytes of workgroup memory
// numerics    f32 fma, k ascending; chunks are added by repack in order, so runs repeat bit for bit
// oracle      core/ops/matmul.ts (reference), 1e-5 relative to sum |a||b|
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
struct Dims {
  M: u32, N: u32, K: u32, TILES: u32, CHUNK: u32,
  A_ROW: u32, A_K: u32, B_K: u32, B_COL: u32, A_BASE: u32, B_BASE: u32, C_BASE: u32,
  BATCHES: u32, Z1: u32, Z2: u32, A0: u32, A1: u32, A2: u32, B0: u32, B1: u32, B2: u32,
  scale: f32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

// Tiles of both operands, DEPTH x 64; a column more a row, so that the transposing writes spread over the banks.
const DEPTH = 16u;
const PITCH = 65u;
var<workgroup> rows: array<f32, DEPTH * PITCH>;
var<workgroup> columns: array<f32, DEPTH * PITCH>;

fn store_row(m: u32, n: u32, start: u32, sum: vec4f) {
  if (m >= dims.M) { return; }
  let at = start + m * dims.N + n;
  let y = sum * dims.scale;
  if (n < dims.N) { c[at] = y.x; }
  if (n + 1u < dims.N) { c[at + 1u] = y.y; }
  if (n + 2u < dims.N) { c[at + 2u] = y.z; }
  if (n + 3u < dims.N) { c[at + 3u] = y.w; }
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.N + 63u) / 64u;
  let tiles_m = (dims.M + 63u) / 64u;
  let n = (index % tiles_n) * 64u;
  let m = ((index / tiles_n) % tiles_m) * 64u;
  let outer = index / (tiles_n * tiles_m);
  let z = outer % dims.BATCHES;
  let z2 = z % dims.Z2;
  let z1 = (z / dims.Z2) % dims.Z1;
  let z0 = z / (dims.Z2 * dims.Z1);
  let a_start = dims.A_BASE + z0 * dims.A0 + z1 * dims.A1 + z2 * dims.A2;
  let b_start = dims.B_BASE + z0 * dims.B0 + z1 * dims.B1 + z2 * dims.B2;
  let begin = (outer / dims.BATCHES) * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.K);

  // Neighbouring lanes load neighbours in memory: along k where its stride is 1, else along rows or columns.
  let a_k = select(lane / 64u, lane % DEPTH, dims.A_K == 1u);
  let a_m = select(lane % 64u, lane / DEPTH, dims.A_K == 1u);
  let a_next = select(vec2u(4u, 0u), vec2u(0u, 16u), dims.A_K == 1u);
  let b_k = select(lane / 64u, lane % DEPTH, dims.B_K == 1u);
  let b_n = select(lane % 64u, lane / DEPTH, dims.B_K == 1u);
  let b_next = select(vec2u(4u, 0u), vec2u(0u, 16u), dims.B_K == 1u);
  let row = (lane / 16u) * 4u;
  let column = (lane % 16u) * 4u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = begin; k < end; k += DEPTH) {
    for (var i = 0u; i < 4u; i++) {
      let ka = a_k + i * a_next.x;
      let ma = a_m + i * a_next.y;
      let at_a = a_start + min(m + ma, dims.M - 1u) * dims.A_ROW + min(k + ka, end - 1u) * dims.A_K;
      rows[ka * PITCH + ma] = select(0.0, a[at_a], k + ka < end);
      let kb = b_k + i * b_next.x;
      let nb = b_n + i * b_next.y;
      let at_b = b_start + min(n + nb, dims.N - 1u) * dims.B_COL + min(k + kb, end - 1u) * dims.B_K;
      columns[kb * PITCH + nb] = select(0.0, b[at_b], k + kb < end);
    }
    workgroupBarrier();
    for (var d = 0u; d < DEPTH; d++) {
      let at_r = d * PITCH + row;
      let at_c = d * PITCH + column;
      let r = vec4f(rows[at_r], rows[at_r + 1u], rows[at_r + 2u], rows[at_r + 3u]);
      let c = vec4f(columns[at_c], columns[at_c + 1u], columns[at_c + 2u], columns[at_c + 3u]);
      sum0 = fma(vec4f(r.x), c, sum0);
      sum1 = fma(vec4f(r.y), c, sum1);
      sum2 = fma(vec4f(r.z), c, sum2);
      sum3 = fma(vec4f(r.w), c, sum3);
    }
    workgroupBarrier();
  }
  let c_start = dims.C_BASE + outer * dims.M * dims.N;
  store_row(m + row, n + column, c_start, sum0);
  store_row(m + row + 1u, n + column, c_start, sum1);
  store_row(m + row + 2u, n + column, c_start, sum2);
  store_row(m + row + 3u, n + column, c_start, sum3);
}
