// conv2dTile: 2-D cross-correlation in tiles through workgroup memory; also the input gradient, with flipped weights.
//   y[b,o,p] = sum_{r,s,c} w[r,s,o,c] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; w: [R, S, O, 4*C4]; y: [B, O, 4*PQ], of which P
//             pixels count; R, S, O, C4 >= 1. Strides count vec4f
// workgroups  linear over (pixel tile, channel tile), x + y * groups.x; TILES in all
// invocations 256 = 16 x 16, 4 channels x 4 pixels each; 8320 bytes of workgroup memory
// numerics    f32 fma, order r, s, c
// oracle      core/ops/conv2d.ts (reference), 1e-5 relative to sum |x||w|
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
struct Dims {
  O: u32, C4: u32, R: u32, S: u32, QUADS: u32, PQ: u32, P: u32, OW: u32,
  X_IMAGE: u32, X_ROW: u32, STEP_Y: u32, STEP_X: u32, TILES: u32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

// Tiles of both operands, DEPTH x 64; a column more a row, so that the transposing writes spread over the banks.
const DEPTH = 16u;
const PITCH = 65u;
var<workgroup> rows: array<f32, DEPTH * PITCH>;
var<workgroup> columns: array<f32, DEPTH * PITCH>;

// Four neighbours along the depth, loaded as one, go to four rows of a tile.
fn put_row(d: u32, at: u32, v: vec4f) {
  rows[d * PITCH + at] = v.x;
  rows[(d + 1u) * PITCH + at] = v.y;
  rows[(d + 2u) * PITCH + at] = v.z;
  rows[(d + 3u) * PITCH + at] = v.w;
}
fn put_column(d: u32, at: u32, v: vec4f) {
  columns[d * PITCH + at] = v.x;
  columns[(d + 1u) * PITCH + at] = v.y;
  columns[(d + 2u) * PITCH + at] = v.z;
  columns[(d + 3u) * PITCH + at] = v.w;
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_o = (dims.O + 63u) / 64u;
  let o = (index % tiles_o) * 64u;
  let quads = (index / tiles_o) * 16u; // first group of four pixels

  // One load a lane fills a tile: channel or pixel lane / 4, four of DEPTH from 4 (lane % 4) on.
  let item = lane / 4u;
  let quad = min(quads + item / 4u, dims.QUADS - 1u);
  let image = quad / dims.PQ;
  let pixel = min((quad - image * dims.PQ) * 4u + item % 4u, dims.P - 1u);
  let oh = pixel / dims.OW;
  let from_x = image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
  let from_w = min(o + item, dims.O - 1u) * dims.C4;
  let row = (lane / 16u) * 4u;
  let column = (lane % 16u) * 4u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  // Taps and channels are one axis, so that few channels fill the depth too.
  let end = dims.R * dims.S * dims.C4;
  for (var k = 0u; k < end; k += DEPTH / 4u) {
    let mine = min(k + lane % 4u, end - 1u);
    let is_live = k + lane % 4u < end;
    let tap = mine / dims.C4;
    let inner = mine - tap * dims.C4;
    let r = tap / dims.S;
    let v = w[tap * dims.O * dims.C4 + from_w + inner];
    put_row(lane % 4u * 4u, item, select(vec4f(), v, is_live));
    let u = x[from_x + r * dims.X_ROW + (tap - r * dims.S) * dims.C4 + inner];
    put_column(lane % 4u * 4u, item, select(vec4f(), u, is_live));
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

  let target_quad = quads + lane % 16u;
  if (target_quad >= dims.QUADS) { return; }
  let target_image = target_quad / dims.PQ;
  let at = target_image * dims.O * dims.PQ + target_quad - target_image * dims.PQ;
  let first = o + row;
  if (first < dims.O) { y[at + first * dims.PQ] = sum0; }
  if (first + 1u < dims.O) { y[at + (first + 1u) * dims.PQ] = sum1; }
  if (first + 2u < dims.O) { y[at + (first + 2u) * dims.PQ] = sum2; }
  if (first + 3u < dims.O) { y[at + (first + 3u) * dims.PQ] = sum3; }
}
