// matmulMatrix: matrix product in tiles of 64 x 64 on subgroup matrices; both operands are read through strides.
//   c[i,z,m,n] = scale * sum_k a[z,m,k] * b[z,k,n], k within chunk i of CHUNK
// shapes      a, b: strided views, batch axes Z0 Z1 Z2; c: [CHUNKS, BATCHES, M, N] dense; any M, N, K >= 1
// workgroups  linear over (chunk, batch, row tile, column tile), x + y * groups.x; TILES in all
// invocations LANES = 4 subgroups of the largest size (more where they are smaller, which idle), 32 x 32 outputs each;
//             8192 + 512 MATRIX_M bytes of workgroup memory at most
// numerics    f32 sums, in the device's own order within MATRIX_K terms and k ascending over them; chunks are added by
//             repack in order, so runs repeat bit for bit
// oracle      core/ops/matmul.ts (reference), 1e-5 relative to sum |a||b|
// uses        lib/matrices
enable subgroups;
enable chromium_experimental_subgroup_matrix;
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

var<workgroup> rows: array<Element, TILE * DEPTH>; // [m][k]
var<workgroup> columns: array<Element, DEPTH * TILE>; // [k][n]
// One row of matrices of each quadrant, on its way to c: only single elements can be held to the edges, and scaled.
const STRIPE = MATRIX_M * SIDE;
var<workgroup> stripes: array<f32, 4u * STRIPE>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) quadrant: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.N + TILE - 1u) / TILE;
  let tiles_m = (dims.M + TILE - 1u) / TILE;
  let n = (index % tiles_n) * TILE;
  let m = ((index / tiles_n) % tiles_m) * TILE;
  let outer = index / (tiles_n * tiles_m);
  let z = outer % dims.BATCHES;
  let z2 = z % dims.Z2;
  let z1 = (z / dims.Z2) % dims.Z1;
  let z0 = z / (dims.Z2 * dims.Z1);
  let a_start = dims.A_BASE + z0 * dims.A0 + z1 * dims.A1 + z2 * dims.A2;
  let b_start = dims.B_BASE + z0 * dims.B0 + z1 * dims.B1 + z2 * dims.B2;
  let begin = (outer / dims.BATCHES) * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.K);

  let top = (quadrant / 2u) * SIDE;
  let side = (quadrant % 2u) * SIDE;
  var sums: Sums; // zeros
  for (var k = begin; k < end; k += DEPTH) {
    // Neighbouring lanes load neighbours in memory: along k where its stride is 1, else along rows or columns.
    for (var i = lane; i < TILE * DEPTH; i += LANES) {
      let ka = select(i / TILE, i % DEPTH, dims.A_K == 1u);
      let ma = select(i % TILE, i / DEPTH, dims.A_K == 1u);
      let at_a = a_start + min(m + ma, dims.M - 1u) * dims.A_ROW + min(k + ka, end - 1u) * dims.A_K;
      rows[ma * DEPTH + ka] = Element(select(0.0, a[at_a], k + ka < end));
      let kb = select(i / TILE, i % DEPTH, dims.B_K == 1u);
      let nb = select(i % TILE, i / DEPTH, dims.B_K == 1u);
      let at_b = b_start + min(n + nb, dims.N - 1u) * dims.B_COL + min(k + kb, end - 1u) * dims.B_K;
      columns[kb * TILE + nb] = Element(select(0.0, b[at_b], k + kb < end));
    }
    workgroupBarrier();
    if (quadrant < 4u) {
      for (var d = 0u; d < DEPTH; d += MATRIX_K) {
        var right: array<Right, COLUMNS>;
        for (var j = 0u; j < COLUMNS; j++) {
          right[j] = subgroupMatrixLoad<Right, row_major>(&columns, d * TILE + side + j * MATRIX_N, TILE);
        }
        for (var i = 0u; i < ROWS; i++) {
          let left = subgroupMatrixLoad<Left, row_major>(&rows, (top + i * MATRIX_M) * DEPTH + d, DEPTH);
          for (var j = 0u; j < COLUMNS; j++) {
            let at = i * COLUMNS + j;
            sums[at] = subgroupMatrixMultiplyAccumulate(left, right[j], sums[at]);
          }
        }
      }
    }
    workgroupBarrier();
  }

  let c_start = dims.C_BASE + outer * dims.M * dims.N;
  for (var i = 0u; i < ROWS; i++) {
    if (quadrant < 4u) {
      for (var j = 0u; j < COLUMNS; j++) {
        let at = quadrant * STRIPE + j * MATRIX_N;
        subgroupMatrixStore<row_major>(&stripes, at, sums[i * COLUMNS + j], SIDE);
      }
    }
    workgroupBarrier();
    for (var e = lane; e < 4u * STRIPE; e += LANES) {
      let owner = e / STRIPE;
      let mc = m + (owner / 2u) * SIDE + i * MATRIX_M + (e % STRIPE) / SIDE;
      let nc = n + (owner % 2u) * SIDE + e % SIDE;
      if (mc < dims.M && nc < dims.N) { c[c_start + mc * dims.N + nc] = stripes[e] * dims.scale; }
    }
    workgroupBarrier();
  }
}
