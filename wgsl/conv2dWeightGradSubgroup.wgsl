// conv2dWeightGradSubgroup: gradient of conv2d for its weight, on subgroups of 8 lanes; a partial sum a chunk.
//   g[i,o,r,s,c] = sum_{b,p in chunk i} dy[b,o,p] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; dy: [B, O, 4*PQ], 0 from pixel P on;
//             g: [CHUNKS, O, R*S*4*C4]. Strides count vec4f
// workgroups  linear over (chunk, row tile, column tile), x + y * groups.x; TILES in all
// invocations 8 = one subgroup: ROWS channels o x 32 neighbours in (r, s, c); lane l keeps 4l .. 4l+3 in registers
// numerics    f32 fma, pixels ascending within CHUNK quads; chunks are added by repack in order: bits repeat
// oracle      core/ops/conv2dWeightGrad.ts (reference), 1e-5 relative to sum |x||dy|
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> g: array<vec4f>;
struct Dims {
  O: u32, C4: u32, S: u32, COLUMNS: u32, QUADS: u32, PQ: u32, P: u32, OW: u32,
  X_IMAGE: u32, X_ROW: u32, STEP_Y: u32, STEP_X: u32, CHUNK: u32, TILES: u32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

// Rows of a tile: 8, 16, 24 or 32. Unused rows fold away when the pipeline is made.
override ROWS: u32 = 32u;

// On software adapters a load costs as much as some 50 multiply-adds whatever its address, so each lane loads another
// row of dy and broadcasts it. All k of one row come before the next row: accumulators that do not fit the
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
  let tiles_n = (dims.COLUMNS + 7u) / 8u;
  let tiles_o = (dims.O + ROWS - 1u) / ROWS;
  let column = (index % tiles_n) * 8u + lane;
  let o = ((index / tiles_n) % tiles_o) * ROWS;
  let chunk = index / (tiles_n * tiles_o);
  // Columns and channels past the edge repeat the last one and have equal sums;
  // channels are then stored again, as a branch for each would cost more.
  let inner = min(column, dims.COLUMNS - 1u) % dims.C4;
  let tap = min(column, dims.COLUMNS - 1u) / dims.C4;
  let r = tap / dims.S;
  let x_lane = r * dims.X_ROW + (tap - r * dims.S) * dims.C4 + inner;
  let dy_lane0 = min(o + lane + 0u, dims.O - 1u) * dims.PQ;
  let dy_lane1 = min(o + lane + 8u, dims.O - 1u) * dims.PQ;
  let dy_lane2 = min(o + lane + 16u, dims.O - 1u) * dims.PQ;
  let dy_lane3 = min(o + lane + 24u, dims.O - 1u) * dims.PQ;
  var c0 = vec4f(); var c1 = vec4f(); var c2 = vec4f(); var c3 = vec4f();
  var c4 = vec4f(); var c5 = vec4f(); var c6 = vec4f(); var c7 = vec4f();
  var c8 = vec4f(); var c9 = vec4f(); var c10 = vec4f(); var c11 = vec4f();
  var c12 = vec4f(); var c13 = vec4f(); var c14 = vec4f(); var c15 = vec4f();
  var c16 = vec4f(); var c17 = vec4f(); var c18 = vec4f(); var c19 = vec4f();
  var c20 = vec4f(); var c21 = vec4f(); var c22 = vec4f(); var c23 = vec4f();
  var c24 = vec4f(); var c25 = vec4f(); var c26 = vec4f(); var c27 = vec4f();
  var c28 = vec4f(); var c29 = vec4f(); var c30 = vec4f(); var c31 = vec4f();

  let begin = chunk * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.QUADS);
  let per_row = 1.0 / f32(dims.OW);
  var image = begin / dims.PQ;
  var place = begin - image * dims.PQ;
  for (var quad = begin; quad < end; quad++) {
    let pixel = min(place * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(dims.P - 1u));
    // Exact up to 2^21 pixels; an integer division would cost as much as the four loads.
    let oh = vec4u((vec4f(pixel) + 0.5) * per_row);
    let at = x_lane + image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
    let b0 = x[at.x];
    let b1 = x[at.y];
    let b2 = x[at.z];
    let b3 = x[at.w];
    let dy_start = image * dims.O * dims.PQ + place;
    let a0 = dy[dy_start + dy_lane0];
    var a1 = vec4f();
    var a2 = vec4f();
    var a3 = vec4f();
    if (ROWS > 8u) { a1 = dy[dy_start + dy_lane1]; }
    if (ROWS > 16u) { a2 = dy[dy_start + dy_lane2]; }
    if (ROWS > 24u) { a3 = dy[dy_start + dy_lane3]; }
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
    place += 1u;
    if (place == dims.PQ) {
      place = 0u;
      image += 1u;
    }
  }

  if (column >= dims.COLUMNS) { return; }
  let g_start = chunk * dims.O * dims.COLUMNS + column;
  let last = dims.O - 1u;
  g[g_start + min(o + 0u, last) * dims.COLUMNS] = c0;
  g[g_start + min(o + 1u, last) * dims.COLUMNS] = c1;
  g[g_start + min(o + 2u, last) * dims.COLUMNS] = c2;
  g[g_start + min(o + 3u, last) * dims.COLUMNS] = c3;
  g[g_start + min(o + 4u, last) * dims.COLUMNS] = c4;
  g[g_start + min(o + 5u, last) * dims.COLUMNS] = c5;
  g[g_start + min(o + 6u, last) * dims.COLUMNS] = c6;
  g[g_start + min(o + 7u, last) * dims.COLUMNS] = c7;
  if (ROWS > 8u) {
    g[g_start + min(o + 8u, last) * dims.COLUMNS] = c8;
    g[g_start + min(o + 9u, last) * dims.COLUMNS] = c9;
    g[g_start + min(o + 10u, last) * dims.COLUMNS] = c10;
    g[g_start + min(o + 11u, last) * dims.COLUMNS] = c11;
    g[g_start + min(o + 12u, last) * dims.COLUMNS] = c12;
    g[g_start + min(o + 13u, last) * dims.COLUMNS] = c13;
    g[g_start + min(o + 14u, last) * dims.COLUMNS] = c14;
    g[g_start + min(o + 15u, last) * dims.COLUMNS] = c15;
  }
  if (ROWS > 16u) {
    g[g_start + min(o + 16u, last) * dims.COLUMNS] = c16;
    g[g_start + min(o + 17u, last) * dims.COLUMNS] = c17;
    g[g_start + min(o + 18u, last) * dims.COLUMNS] = c18;
    g[g_start + min(o + 19u, last) * dims.COLUMNS] = c19;
    g[g_start + min(o + 20u, last) * dims.COLUMNS] = c20;
    g[g_start + min(o + 21u, last) * dims.COLUMNS] = c21;
    g[g_start + min(o + 22u, last) * dims.COLUMNS] = c22;
    g[g_start + min(o + 23u, last) * dims.COLUMNS] = c23;
  }
  if (ROWS > 24u) {
    g[g_start + min(o + 24u, last) * dims.COLUMNS] = c24;
    g[g_start + min(o + 25u, last) * dims.COLUMNS] = c25;
    g[g_start + min(o + 26u, last) * dims.COLUMNS] = c26;
    g[g_start + min(o + 27u, last) * dims.COLUMNS] = c27;
    g[g_start + min(o + 28u, last) * dims.COLUMNS] = c28;
    g[g_start + min(o + 29u, last) * dims.COLUMNS] = c29;
    g[g_start + min(o + 30u, last) * dims.COLUMNS] = c30;
    g[g_start + min(o + 31u, last) * dims.COLUMNS] = c31;
  }
}
