// matmul: matrix product in register tiles; both operands are read through strides.
//   c[i,z,m,n] = scale * sum_k a[z,m,k] * b[z,k,n], k within chunk i of CHUNK
// shapes      a, b: strided views, batch axes Z0 Z1 Z2; c: [CHUNKS, BATCHES, M, N] dense; any M, N, K >= 1
// workgroups  linear, x + y * groups.x; 64 tiles each
// invocations one per tile of 4 rows x 8 columns, kept in registers; TILES in all
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

fn store_row(m: u32, n: u32, start: u32, c0: vec4f, c1: vec4f) {
  if (m >= dims.M) { return; }
  let at = start + m * dims.N + n;
  c[at] = c0.x * dims.scale;
  if (n + 1u < dims.N) { c[at + 1u] = c0.y * dims.scale; }
  if (n + 2u < dims.N) { c[at + 2u] = c0.z * dims.scale; }
  if (n + 3u < dims.N) { c[at + 3u] = c0.w * dims.scale; }
  if (n + 4u < dims.N) { c[at + 4u] = c1.x * dims.scale; }
  if (n + 5u < dims.N) { c[at + 5u] = c1.y * dims.scale; }
  if (n + 6u < dims.N) { c[at + 6u] = c1.z * dims.scale; }
  if (n + 7u < dims.N) { c[at + 7u] = c1.w * dims.scale; }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * 64u + lane;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.N + 7u) / 8u;
  let tiles_m = (dims.M + 3u) / 4u;
  let n = (index % tiles_n) * 8u;
  let m = ((index / tiles_n) % tiles_m) * 4u;
  let outer = index / (tiles_n * tiles_m);
  let z = outer % dims.BATCHES;
  let chunk = outer / dims.BATCHES;
  let z2 = z % dims.Z2;
  let z1 = (z / dims.Z2) % dims.Z1;
  let z0 = z / (dims.Z2 * dims.Z1);
  let a_start = dims.A_BASE + z0 * dims.A0 + z1 * dims.A1 + z2 * dims.A2;
  let b_start = dims.B_BASE + z0 * dims.B0 + z1 * dims.B1 + z2 * dims.B2;

  // Rows and columns past the edge repeat the last one and are not stored.
  let lower = vec4u(0u, 1u, 2u, 3u);
  let from_a = a_start + min(m + lower, vec4u(dims.M - 1u)) * dims.A_ROW;
  let from_b = b_start + min(n + lower, vec4u(dims.N - 1u)) * dims.B_COL;
  let from_e = b_start + min(n + 4u + lower, vec4u(dims.N - 1u)) * dims.B_COL;
  var c0 = vec4f(); var d0 = vec4f();
  var c1 = vec4f(); var d1 = vec4f();
  var c2 = vec4f(); var d2 = vec4f();
  var c3 = vec4f(); var d3 = vec4f();
  let end = min((chunk + 1u) * dims.CHUNK, dims.K);
  for (var k = chunk * dims.CHUNK; k < end; k++) {
    let at_b = from_b + k * dims.B_K;
    let at_e = from_e + k * dims.B_K;
    let at_a = from_a + k * dims.A_K;
    let b4 = vec4f(b[at_b.x], b[at_b.y], b[at_b.z], b[at_b.w]);
    let e4 = vec4f(b[at_e.x], b[at_e.y], b[at_e.z], b[at_e.w]);
    let a4 = vec4f(a[at_a.x], a[at_a.y], a[at_a.z], a[at_a.w]);
    c0 = fma(vec4f(a4.x), b4, c0); d0 = fma(vec4f(a4.x), e4, d0);
    c1 = fma(vec4f(a4.y), b4, c1); d1 = fma(vec4f(a4.y), e4, d1);
    c2 = fma(vec4f(a4.z), b4, c2); d2 = fma(vec4f(a4.z), e4, d2);
    c3 = fma(vec4f(a4.w), b4, c3); d3 = fma(vec4f(a4.w), e4, d3);
  }
  let c_start = dims.C_BASE + outer * dims.M * dims.N;
  store_row(m + 0u, n, c_start, c0, d0);
  store_row(m + 1u, n, c_start, c1, d1);
  store_row(m + 2u, n, c_start, c2, d2);
  store_row(m + 3u, n, c_start, c3, d3);
}
