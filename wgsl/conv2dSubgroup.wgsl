// conv2dSubgroup: 2-D cross-correlation on subgroups of 8 lanes; also the input gradient, with flipped weights.
//   y[b,o,p] = sum_{r,s,c} w[r,s,o,c] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; w: [R, S, O, 4*C4]; y: [B, O, 4*PQ], of which P
//             pixels count; R, S, O, C4 >= 1. Strides count vec4f
// workgroups  linear over (column tile, row tile), x + y * groups.x; TILES in all
// invocations 8 = one subgroup: ROWS channels x 32 pixels; lane l keeps pixels 4l .. 4l+3 in registers
// numerics    f32 fma, order r, s, c
// oracle      core/ops/conv2d.ts (reference), 1e-5 relative to sum |x||w|
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
struct Dims {
  O: u32, C4: u32, R: u32, S: u32, QUADS: u32, PQ: u32, P: u32, OW: u32,
  X_IMAGE: u32, X_ROW: u32, STEP_Y: u32, STEP_X: u32, TILES: u32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

// Rows of a tile: 8, 16, 24 or 32. Unused rows fold away when the pipeline is made.
override ROWS: u32 = 32u;

// On software adapters a load costs as much as some 50 multiply-adds whatever its address, so each lane loads another
// row of w and broadcasts it. All k of one row come before the next row: accumulators that do not fit the
// registers are then touched once in four k.
fn row(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, sum))));
}

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_o = (dims.O + ROWS - 1u) / ROWS;
  let o = (index % tiles_o) * ROWS;
  // Pixels and channels past the edge repeat the last one and have equal sums;
  // channels are then stored again, as a branch for each would cost more.
  let quad = (index / tiles_o) * 8u + lane;
  let image = min(quad, dims.QUADS - 1u) / dims.PQ;
  let place = min(quad, dims.QUADS - 1u) % dims.PQ;
  let pixel = min(place * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(dims.P - 1u));
  let oh = pixel / dims.OW;
  let x_start = image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
  let w_start0 = min(o + lane + 0u, dims.O - 1u) * dims.C4;
  let w_start1 = min(o + lane + 8u, dims.O - 1u) * dims.C4;
  let w_start2 = min(o + lane + 16u, dims.O - 1u) * dims.C4;
  let w_start3 = min(o + lane + 24u, dims.O - 1u) * dims.C4;
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
  var c4 = vec4f(); var c5 = vec4f(); var c6 = vec4f(); var c7 = vec4f();
  var c8 = vec4f(); var c9 = vec4f(); var c10 = vec4f(); var c11 = vec4f();
  var c12 = vec4f(); var c13 = vec4f(); var c14 = vec4f(); var c15 = vec4f();
  var c16 = vec4f(); var c17 = vec4f(); var c18 = vec4f(); var c19 = vec4f();
  var c20 = vec4f(); var c21 = vec4f(); var c22 = vec4f(); var c23 = vec4f();
  var c24 = vec4f(); var c25 = vec4f(); var c26 = vec4f(); var c27 = vec4f();
  var c28 = vec4f(); var c29 = vec4f(); var c30 = vec4f(); var c31 = vec4f();

  for (var r = 0u; r < dims.R; r++) {
    for (var s = 0u; s < dims.S; s++) {
      let at = x_start + r * dims.X_ROW + s * dims.C4;
      let tap = (r * dims.S + s) * dims.O * dims.C4;
      for (var k = 0u; k < dims.C4; k++) {
        let p0 = x[at.x + k];
        let p1 = x[at.y + k];
        let p2 = x[at.z + k];
        let p3 = x[at.w + k];
        let b0 = vec4f(p0.x, p1.x, p2.x, p3.x);
        let b1 = vec4f(p0.y, p1.y, p2.y, p3.y);
        let b2 = vec4f(p0.z, p1.z, p2.z, p3.z);
        let b3 = vec4f(p0.w, p1.w, p2.w, p3.w);
        let a0 = w[tap + w_start0 + k];
        var a1 = vec4f();
        var a2 = vec4f();
        var a3 = vec4f();
        if (ROWS > 8u) { a1 = w[tap + w_start1 + k]; }
        if (ROWS > 16u) { a2 = w[tap + w_start2 + k]; }
        if (ROWS > 24u) { a3 = w[tap + w_start3 + k]; }
        c0 = row(c0, subgroupBroadcast(a0, 0u), b0, b1, b2, b3);
        c1 = row(c1, subgroupBroadcast(a0, 1u), b0, b1, b2, b3);
        c2 = row(c2, subgroupBroadcast(a0, 2u), b0, b1, b2, b3);
        c3 = row(c3, subgroupBroadcast(a0, 3u), b0, b1, b2, b3);
        c4 = row(c4, subgroupBroadcast(a0, 4u), b0, b1, b2, b3);
        c5 = row(c5, subgroupBroadcast(a0, 5u), b0, b1, b2, b3);
        c6 = row(c6, subgroupBroadcast(a0, 6u), b0, b1, b2, b3);
        c7 = row(c7, subgroupBroadcast(a0, 7u), b0, b1, b2, b3);
        if (ROWS > 8u) {
          c8 = row(c8, subgroupBroadcast(a1, 0u), b0, b1, b2, b3);
          c9 = row(c9, subgroupBroadcast(a1, 1u), b0, b1, b2, b3);
          c10 = row(c10, subgroupBroadcast(a1, 2u), b0, b1, b2, b3);
          c11 = row(c11, subgroupBroadcast(a1, 3u), b0, b1, b2, b3);
          c12 = row(c12, subgroupBroadcast(a1, 4u), b0, b1, b2, b3);
          c13 = row(c13, subgroupBroadcast(a1, 5u), b0, b1, b2, b3);
          c14 = row(c14, subgroupBroadcast(a1, 6u), b0, b1, b2, b3);
          c15 = row(c15, subgroupBroadcast(a1, 7u), b0, b1, b2, b3);
        }
        if (ROWS > 16u) {
          c16 = row(c16, subgroupBroadcast(a2, 0u), b0, b1, b2, b3);
          c17 = row(c17, subgroupBroadcast(a2, 1u), b0, b1, b2, b3);
          c18 = row(c18, subgroupBroadcast(a2, 2u), b0, b1, b2, b3);
          c19 = row(c19, subgroupBroadcast(a2, 3u), b0, b1, b2, b3);
          c20 = row(c20, subgroupBroadcast(a2, 4u), b0, b1, b2, b3);
          c21 = row(c21, subgroupBroadcast(a2, 5u), b0, b1, b2, b3);
          c22 = row(c22, subgroupBroadcast(a2, 6u), b0, b1, b2, b3);
          c23 = row(c23, subgroupBroadcast(a2, 7u), b0, b1, b2, b3);
        }
        if (ROWS > 24u) {
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
  }

  if (quad >= dims.QUADS) { return; }
  let y_start = image * dims.O * dims.PQ + place;
  let last = dims.O - 1u;
  y[y_start + min(o + 0u, last) * dims.PQ] = c0;
  y[y_start + min(o + 1u, last) * dims.PQ] = c1;
  y[y_start + min(o + 2u, last) * dims.PQ] = c2;
  y[y_start + min(o + 3u, last) * dims.PQ] = c3;
  y[y_start + min(o + 4u, last) * dims.PQ] = c4;
  y[y_start + min(o + 5u, last) * dims.PQ] = c5;
  y[y_start + min(o + 6u, last) * dims.PQ] = c6;
  y[y_start + min(o + 7u, last) * dims.PQ] = c7;
  if (ROWS > 8u) {
    y[y_start + min(o + 8u, last) * dims.PQ] = c8;
    y[y_start + min(o + 9u, last) * dims.PQ] = c9;
    y[y_start + min(o + 10u, last) * dims.PQ] = c10;
    y[y_start + min(o + 11u, last) * dims.PQ] = c11;
    y[y_start + min(o + 12u, last) * dims.PQ] = c12;
    y[y_start + min(o + 13u, last) * dims.PQ] = c13;
    y[y_start + min(o + 14u, last) * dims.PQ] = c14;
    y[y_start + min(o + 15u, last) * dims.PQ] = c15;
  }
  if (ROWS > 16u) {
    y[y_start + min(o + 16u, last) * dims.PQ] = c16;
    y[y_start + min(o + 17u, last) * dims.PQ] = c17;
    y[y_start + min(o + 18u, last) * dims.PQ] = c18;
    y[y_start + min(o + 19u, last) * dims.PQ] = c19;
    y[y_start + min(o + 20u, last) * dims.PQ] = c20;
    y[y_start + min(o + 21u, last) * dims.PQ] = c21;
    y[y_start + min(o + 22u, last) * dims.PQ] = c22;
    y[y_start + min(o + 23u, last) * dims.PQ] = c23;
  }
  if (ROWS > 24u) {
    y[y_start + min(o + 24u, last) * dims.PQ] = c24;
    y[y_start + min(o + 25u, last) * dims.PQ] = c25;
    y[y_start + min(o + 26u, last) * dims.PQ] = c26;
    y[y_start + min(o + 27u, last) * dims.PQ] = c27;
    y[y_start + min(o + 28u, last) * dims.PQ] = c28;
    y[y_start + min(o + 29u, last) * dims.PQ] = c29;
    y[y_start + min(o + 30u, last) * dims.PQ] = c30;
    y[y_start + min(o + 31u, last) * dims.PQ] = c31;
  }
}
