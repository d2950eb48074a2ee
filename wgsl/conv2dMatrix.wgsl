// conv2dMatrix: 2-D cross-correlation in tiles on subgroup matrices; also the input gradient, with flipped weights.
//   y[b,o,p] = sum_{r,s,c} w[r,s,o,c] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; w: [R, S, O, 4*C4]; y: [B, O, 4*PQ], of which P
//             pixels count; R, S, O, C4 >= 1. Strides count vec4f
// workgroups  linear over (pixel tile, channel tile), x + y * groups.x; TILES in all
// invocations LANES = 4 subgroups of the largest size (more where they are smaller, which idle), 32 channels x 32
//             pixels each; 8448 + 512 MATRIX_M bytes of workgroup memory at most
// numerics    f32 sums, in the device's own order within MATRIX_K terms; taps and channels are one axis, r, s, c
// oracle      core/ops/conv2d.ts (reference), 1e-5 relative to sum |x||w|
// uses        lib/matrixTile
enable subgroups;
enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
struct Dims {
  O: u32, C4: u32, R: u32, S: u32, QUADS: u32, PQ: u32, P: u32, OW: u32,
  X_IMAGE: u32, X_ROW: u32, STEP_Y: u32, STEP_X: u32, TILES: u32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

var<workgroup> pixels: array<u32, TILE>; // where they begin in x

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) quadrant: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_o = (dims.O + TILE - 1u) / TILE;
  let o = (index % tiles_o) * TILE;
  let quads = (index / tiles_o) * TILE_QUADS; // first group of four pixels
  for (var i = lane; i < TILE; i += LANES) {
    let quad = min(quads + i / 4u, dims.QUADS - 1u);
    let image = quad / dims.PQ;
    let pixel = min((quad - image * dims.PQ) * 4u + i % 4u, dims.P - 1u);
    let oh = pixel / dims.OW;
    pixels[i] = image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
  }
  workgroupBarrier();

  var sums: Sums; // zeros
  let end = dims.R * dims.S * dims.C4;
  for (var k = 0u; k < end; k += QUADS) {
    for (var i = lane; i < TILE * QUADS; i += LANES) {
      let item = i / QUADS;
      let mine = min(k + i % QUADS, end - 1u);
      let is_live = k + i % QUADS < end;
      let tap = mine / dims.C4;
      let inner = mine - tap * dims.C4;
      let r = tap / dims.S;
      let v = w[(tap * dims.O + min(o + item, dims.O - 1u)) * dims.C4 + inner];
      rows[i] = Quad(select(vec4f(), v, is_live));
      let u = x[pixels[item] + r * dims.X_ROW + (tap - r * dims.S) * dims.C4 + inner];
      columns[i] = Quad(select(vec4f(), u, is_live));
    }
    workgroupBarrier();
    if (quadrant < 4u) { multiply(&sums, quadrant, true); }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) {
    if (quadrant < 4u) { put_stripe(&sums, quadrant, i); }
    workgroupBarrier();
    for (var e = lane; e < 4u * STRIPE; e += LANES) {
      let channel = o + stripe_row(e, i);
      let quad = quads + stripe_quad(e);
      let image = quad / dims.PQ;
      let at = (image * dims.O + channel) * dims.PQ + quad - image * dims.PQ;
      if (channel < dims.O && quad < dims.QUADS) { y[at] = stripes[e]; }
    }
    workgroupBarrier();
  }
}
