// matmulSubgroup: matrix product on subgroups of 8 lanes, four neighbouring elements a load.
//   c[i,z,m,n] = scale * sum_k a[z,m,k] * b[z,k,n], k within chunk i: CHUNK blocks of 4
// shapes      a, b: each contiguous along one of its axes, whose size is a multiple of 4; c: [.., M, 4*N4] dense.
//             All strides and bases count vec4f. Batch axes Z0 Z1 Z2, any strides. Any M, K >= 1
// workgroups  linear over (chunk, batch, row tile, column tile), x + y * groups.x; TILES in all
// invocations 8 = one subgroup: ROWS x 32 outputs, lane l keeps columns 4l .. 4l+3 of every row in registers
// numerics    f32 fma, k ascending; chunks are added by repack in order, so runs repeat bit for bit
// oracle      core/ops/matmul.ts (reference), 1e-5 relative to sum |a||b|
enable subgroups;
@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> c: array<vec4f>;
struct Dims {
  M: u32, N4: u32, K: u32, TILES: u32, CHUNK: u32,
  A_STRIDE: u32, B_STRIDE: u32, A_BASE: u32, B_BASE: u32, C_BASE: u32,
  BATCHES: u32, Z1: u32, Z2: u32, A0: u32, A1: u32, A2: u32, B0: u32, B1: u32, B2: u32,
  scale: f32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

// Whether a is stored [K, M] and b [N, K]; then a_stride runs over k and b_stride over n.
override TRANS_A: bool = false;
override TRANS_B: bool = false;
// Rows of a tile: 8, 16, 24 or 32. Unused rows fold away when the pipeline is made.
override ROWS: u32 = 32u;

// On software adapters a load costs as much as some 50 multiply-adds whatever its address, so each lane loads another
// row of a and broadcasts it. All k of one row come before the next row: accumulators that do not fit the
// registers are then touched once in four k.
fn row(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, sum))));
}

// Rows past the edge repeat the last one (the last four where four come in one load). They have equal sums and are
// stored again, as a branch for each would cost more.
fn stored(m: u32) -> u32 {
  if (TRANS_A) { return min(m, dims.M - 4u + m % 4u); }
  return min(m, dims.M - 1u);
}

// Eight rows and four k of a, one vec4f a lane: row m + lane, or where a is stored [K, M], k + lane % 4 and four rows.
fn load_a(start: u32, m: u32, k: u32, lane: u32) -> vec4f {
  if (TRANS_A) {
    let at = k + lane % 4u;
    let v = a[start + min(at, dims.K - 1u) * dims.A_STRIDE + min(m / 4u + lane / 4u, dims.M / 4u - 1u)];
    return select(vec4f(), v, at < dims.K); // past the end b repeats a row, which must not count
  }
  return a[start + stored(m + lane) * dims.A_STRIDE + k / 4u];
}

// Row i of eight rows loaded from [K, M]: its four k lie in four lanes.
fn row_0_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.x, 0u),
    subgroupBroadcast(v.x, 1u),
    subgroupBroadcast(v.x, 2u),
    subgroupBroadcast(v.x, 3u),
  );
}
fn row_1_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.y, 0u),
    subgroupBroadcast(v.y, 1u),
    subgroupBroadcast(v.y, 2u),
    subgroupBroadcast(v.y, 3u),
  );
}
fn row_2_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.z, 0u),
    subgroupBroadcast(v.z, 1u),
    subgroupBroadcast(v.z, 2u),
    subgroupBroadcast(v.z, 3u),
  );
}
fn row_3_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.w, 0u),
    subgroupBroadcast(v.w, 1u),
    subgroupBroadcast(v.w, 2u),
    subgroupBroadcast(v.w, 3u),
  );
}
fn row_4_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.x, 4u),
    subgroupBroadcast(v.x, 5u),
    subgroupBroadcast(v.x, 6u),
    subgroupBroadcast(v.x, 7u),
  );
}
fn row_5_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.y, 4u),
    subgroupBroadcast(v.y, 5u),
    subgroupBroadcast(v.y, 6u),
    subgroupBroadcast(v.y, 7u),
  );
}
fn row_6_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.z, 4u),
    subgroupBroadcast(v.z, 5u),
    subgroupBroadcast(v.z, 6u),
    subgroupBroadcast(v.z, 7u),
  );
}
fn row_7_of(v: vec4f) -> vec4f {
  return vec4f(
    subgroupBroadcast(v.w, 4u),
    subgroupBroadcast(v.w, 5u),
    subgroupBroadcast(v.w, 6u),
    subgroupBroadcast(v.w, 7u),
  );
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.N4 + 7u) / 8u;
  let tiles_m = (dims.M + ROWS - 1u) / ROWS;
  let n4 = (index % tiles_n) * 8u + lane;
  let m = ((index / tiles_n) % tiles_m) * ROWS;
  let outer = index / (tiles_n * tiles_m);
  let z = outer % dims.BATCHES;
  let chunk = outer / dims.BATCHES;
  let z2 = z % dims.Z2;
  let z1 = (z / dims.Z2) % dims.Z1;
  let z0 = z / (dims.Z2 * dims.Z1);
  let a_start = dims.A_BASE + z0 * dims.A0 + z1 * dims.A1 + z2 * dims.A2;
  let b_start = dims.B_BASE + z0 * dims.B0 + z1 * dims.B1 + z2 * dims.B2;
  let c_start = dims.C_BASE + outer * dims.M * dims.N4 + n4;

  let column = min(n4, dims.N4 - 1u);
  let b_at = b_start + select(column, 4u * column * dims.B_STRIDE, TRANS_B);
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
  var c4 = vec4f(); var c5 = vec4f(); var c6 = vec4f(); var c7 = vec4f();
  var c8 = vec4f(); var c9 = vec4f(); var c10 = vec4f(); var c11 = vec4f();
  var c12 = vec4f(); var c13 = vec4f(); var c14 = vec4f(); var c15 = vec4f();
  var c16 = vec4f(); var c17 = vec4f(); var c18 = vec4f(); var c19 = vec4f();
  var c20 = vec4f(); var c21 = vec4f(); var c22 = vec4f(); var c23 = vec4f();
  var c24 = vec4f(); var c25 = vec4f(); var c26 = vec4f(); var c27 = vec4f();
  var c28 = vec4f(); var c29 = vec4f(); var c30 = vec4f(); var c31 = vec4f();

  let end = min((chunk + 1u) * dims.CHUNK * 4u, dims.K);
  for (var k = chunk * dims.CHUNK * 4u; k < end; k += 4u) {
    var b0: vec4f; var b1: vec4f; var b2: vec4f; var b3: vec4f;
    if (TRANS_B) {
      let at = b_at + k / 4u;
      let n0 = b[at];
      let n1 = b[at + dims.B_STRIDE];
      let n2 = b[at + 2u * dims.B_STRIDE];
      let n3 = b[at + 3u * dims.B_STRIDE];
      b0 = vec4f(n0.x, n1.x, n2.x, n3.x);
      b1 = vec4f(n0.y, n1.y, n2.y, n3.y);
      b2 = vec4f(n0.z, n1.z, n2.z, n3.z);
      b3 = vec4f(n0.w, n1.w, n2.w, n3.w);
    } else {
      let last = dims.K - 1u;
      b0 = b[b_at + k * dims.B_STRIDE];
      b1 = b[b_at + min(k + 1u, last) * dims.B_STRIDE];
      b2 = b[b_at + min(k + 2u, last) * dims.B_STRIDE];
      b3 = b[b_at + min(k + 3u, last) * dims.B_STRIDE];
    }
    let a0 = load_a(a_start, m + 0u, k, lane);
    var a1 = vec4f();
    var a2 = vec4f();
    var a3 = vec4f();
    if (ROWS > 8u) { a1 = load_a(a_start, m + 8u, k, lane); }
    if (ROWS > 16u) { a2 = load_a(a_start, m + 16u, k, lane); }
    if (ROWS > 24u) { a3 = load_a(a_start, m + 24u, k, lane); }
    if (TRANS_A) {
      c0 = row(c0, row_0_of(a0), b0, b1, b2, b3);
      c1 = row(c1, row_1_of(a0), b0, b1, b2, b3);
      c2 = row(c2, row_2_of(a0), b0, b1, b2, b3);
      c3 = row(c3, row_3_of(a0), b0, b1, b2, b3);
      c4 = row(c4, row_4_of(a0), b0, b1, b2, b3);
      c5 = row(c5, row_5_of(a0), b0, b1, b2, b3);
      c6 = row(c6, row_6_of(a0), b0, b1, b2, b3);
      c7 = row(c7, row_7_of(a0), b0, b1, b2, b3);
    } else {
      c0 = row(c0, subgroupBroadcast(a0, 0u), b0, b1, b2, b3);
      c1 = row(c1, subgroupBroadcast(a0, 1u), b0, b1, b2, b3);
      c2 = row(c2, subgroupBroadcast(a0, 2u), b0, b1, b2, b3);
      c3 = row(c3, subgroupBroadcast(a0, 3u), b0, b1, b2, b3);
      c4 = row(c4, subgroupBroadcast(a0, 4u), b0, b1, b2, b3);
      c5 = row(c5, subgroupBroadcast(a0, 5u), b0, b1, b2, b3);
      c6 = row(c6, subgroupBroadcast(a0, 6u), b0, b1, b2, b3);
      c7 = row(c7, subgroupBroadcast(a0, 7u), b0, b1, b2, b3);
    }
    if (ROWS > 8u) {
      if (TRANS_A) {
        c8 = row(c8, row_0_of(a1), b0, b1, b2, b3);
        c9 = row(c9, row_1_of(a1), b0, b1, b2, b3);
        c10 = row(c10, row_2_of(a1), b0, b1, b2, b3);
        c11 = row(c11, row_3_of(a1), b0, b1, b2, b3);
        c12 = row(c12, row_4_of(a1), b0, b1, b2, b3);
        c13 = row(c13, row_5_of(a1), b0, b1, b2, b3);
        c14 = row(c14, row_6_of(a1), b0, b1, b2, b3);
        c15 = row(c15, row_7_of(a1), b0, b1, b2, b3);
      } else {
        c8 = row(c8, subgroupBroadcast(a1, 0u), b0, b1, b2, b3);
        c9 = row(c9, subgroupBroadcast(a1, 1u), b0, b1, b2, b3);
        c10 = row(c10, subgroupBroadcast(a1, 2u), b0, b1, b2, b3);
        c11 = row(c11, subgroupBroadcast(a1, 3u), b0, b1, b2, b3);
        c12 = row(c12, subgroupBroadcast(a1, 4u), b0, b1, b2, b3);
        c13 = row(c13, subgroupBroadcast(a1, 5u), b0, b1, b2, b3);
        c14 = row(c14, subgroupBroadcast(a1, 6u), b0, b1, b2, b3);
        c15 = row(c15, subgroupBroadcast(a1, 7u), b0, b1, b2, b3);
      }
    }
    if (ROWS > 16u) {
      if (TRANS_A) {
        c16 = row(c16, row_0_of(a2), b0, b1, b2, b3);
        c17 = row(c17, row_1_of(a2), b0, b1, b2, b3);
        c18 = row(c18, row_2_of(a2), b0, b1, b2, b3);
        c19 = row(c19, row_3_of(a2), b0, b1, b2, b3);
        c20 = row(c20, row_4_of(a2), b0, b1, b2, b3);
        c21 = row(c21, row_5_of(a2), b0, b1, b2, b3);
        c22 = row(c22, row_6_of(a2), b0, b1, b2, b3);
        c23 = row(c23, row_7_of(a2), b0, b1, b2, b3);
      } else {
        c16 = row(c16, subgroupBroadcast(a2, 0u), b0, b1, b2, b3);
        c17 = row(c17, subgroupBroadcast(a2, 1u), b0, b1, b2, b3);
        c18 = row(c18, subgroupBroadcast(a2, 2u), b0, b1, b2, b3);
        c19 = row(c19, subgroupBroadcast(a2, 3u), b0, b1, b2, b3);
        c20 = row(c20, subgroupBroadcast(a2, 4u), b0, b1, b2, b3);
        c21 = row(c21, subgroupBroadcast(a2, 5u), b0, b1, b2, b3);
        c22 = row(c22, subgroupBroadcast(a2, 6u), b0, b1, b2, b3);
        c23 = row(c23, subgroupBroadcast(a2, 7u), b0, b1, b2, b3);
      }
    }
    if (ROWS > 24u) {
      if (TRANS_A) {
        c24 = row(c24, row_0_of(a3), b0, b1, b2, b3);
        c25 = row(c25, row_1_of(a3), b0, b1, b2, b3);
        c26 = row(c26, row_2_of(a3), b0, b1, b2, b3);
        c27 = row(c27, row_3_of(a3), b0, b1, b2, b3);
        c28 = row(c28, row_4_of(a3), b0, b1, b2, b3);
        c29 = row(c29, row_5_of(a3), b0, b1, b2, b3);
        c30 = row(c30, row_6_of(a3), b0, b1, b2, b3);
        c31 = row(c31, row_7_of(a3), b0, b1, b2, b3);
      } else {
        c24 = row(c24, subgroupBroadcast(a3, 0u), b0, b1, b2, b3);
        c25 = row(c25, subgroupBroadcast(a3, 1u), b0, b1, b2, b3);
        c26 = row(c26, subgroupBroadcast(a3, 2u), b0, b1, b2, b3);
        c27 = row(c27, subgroupBroadcast(a3, 3u), b0, b1, b2, b3);
        c28 = row(c28, subgroupBroadcast(a3, 4u), b0, b1, b2, b3);
        c29 = row(c29, subgroupBroadcast(a3, 5u), b0, b1, b2, b3);
        c30 = row(c30, subgroupBroadcast(a3, 6u), b0, b1, b2, b3);
        c31 = row(c31, subgroupBroadcast(a3, 7u), b0, b1, b2, b3);
      }
    }
  }

  if (n4 >= dims.N4) { return; }
  c[c_start + stored(m + 0u) * dims.N4] = c0 * dims.scale;
  c[c_start + stored(m + 1u) * dims.N4] = c1 * dims.scale;
  c[c_start + stored(m + 2u) * dims.N4] = c2 * dims.scale;
  c[c_start + stored(m + 3u) * dims.N4] = c3 * dims.scale;
  c[c_start + stored(m + 4u) * dims.N4] = c4 * dims.scale;
  c[c_start + stored(m + 5u) * dims.N4] = c5 * dims.scale;
  c[c_start + stored(m + 6u) * dims.N4] = c6 * dims.scale;
  c[c_start + stored(m + 7u) * dims.N4] = c7 * dims.scale;
  if (ROWS > 8u) {
    c[c_start + stored(m + 8u) * dims.N4] = c8 * dims.scale;
    c[c_start + stored(m + 9u) * dims.N4] = c9 * dims.scale;
    c[c_start + stored(m + 10u) * dims.N4] = c10 * dims.scale;
    c[c_start + stored(m + 11u) * dims.N4] = c11 * dims.scale;
    c[c_start + stored(m + 12u) * dims.N4] = c12 * dims.scale;
    c[c_start + stored(m + 13u) * dims.N4] = c13 * dims.scale;
    c[c_start + stored(m + 14u) * dims.N4] = c14 * dims.scale;
    c[c_start + stored(m + 15u) * dims.N4] = c15 * dims.scale;
  }
  if (ROWS > 16u) {
    c[c_start + stored(m + 16u) * dims.N4] = c16 * dims.scale;
    c[c_start + stored(m + 17u) * dims.N4] = c17 * dims.scale;
    c[c_start + stored(m + 18u) * dims.N4] = c18 * dims.scale;
    c[c_start + stored(m + 19u) * dims.N4] = c19 * dims.scale;
    c[c_start + stored(m + 20u) * dims.N4] = c20 * dims.scale;
    c[c_start + stored(m + 21u) * dims.N4] = c21 * dims.scale;
    c[c_start + stored(m + 22u) * dims.N4] = c22 * dims.scale;
    c[c_start + stored(m + 23u) * dims.N4] = c23 * dims.scale;
  }
  if (ROWS > 24u) {
    c[c_start + stored(m + 24u) * dims.N4] = c24 * dims.scale;
    c[c_start + stored(m + 25u) * dims.N4] = c25 * dims.scale;
    c[c_start + stored(m + 26u) * dims.N4] = c26 * dims.scale;
    c[c_start + stored(m + 27u) * dims.N4] = c27 * dims.scale;
    c[c_start + stored(m + 28u) * dims.N4] = c28 * dims.scale;
    c[c_start + stored(m + 29u) * dims.N4] = c29 * dims.scale;
    c[c_start + stored(m + 30u) * dims.N4] = c30 * dims.scale;
    c[c_start + stored(m + 31u) * dims.N4] = c31 * dims.scale;
  }
}
