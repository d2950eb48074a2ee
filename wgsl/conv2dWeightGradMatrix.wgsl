// conv2dWeightGradMatrix: gradient of conv2d for its weight, in tiles on subgroup matrices; a partial sum a chunk.
//   g[i,o,r,s,c] = sum_{b,p in chunk i} dy[b,o,p] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; dy: [B, O, 4*PQ], 0 from pixel P on;
//             g: [CHUNKS, O, R*S*4*C4]. Strides count vec4f
// workgroups  linear over (chunk, channel tile, column tile), x + y * groups.x; TILES in all
// invocations LANES = 4 subgroups of the largest size (more where they are smaller, which idle), 32 channels o x 32
//             neighbours in (r, s, c) each; 8256 + 512 MATRIX_M bytes of workgroup memory at most
// numerics    f32 sums, in the device's own order within MATRIX_K pixels, which ascend within CHUNK quads; chunks are
//             added by repack in order: bits repeat
// oracle      core/ops/conv2dWeightGrad.ts (reference), 1e-5 relative to sum |x||dy|
// uses        lib/matrixTile
enable subgroups;
enable chromium_experimental_subgroup_matrix;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> g: array<vec4f>;
struct Dims {
  O: u32, C4: u32, S: u32, COLUMNS: u32, QUADS: u32, PQ: u32, P: u32, OW: u32,
  X_IMAGE: u32, X_ROW: u32, STEP_Y: u32, STEP_X: u32, CHUNK: u32, TILES: u32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

var<workgroup> taps: array<u32, TILE_QUADS>; // how far the columns' places in x are from a pixel

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_id) quadrant: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.COLUMNS + TILE_QUADS - 1u) / TILE_QUADS;
  let tiles_o = (dims.O + TILE - 1u) / TILE;
  let first = (index % tiles_n) * TILE_QUADS; // four neighbours in c at one tap are one of them
  let o = ((index / tiles_n) % tiles_o) * TILE;
  let chunk = index / (tiles_n * tiles_o);
  for (var i = lane; i < TILE_QUADS; i += LANES) {
    let mine = min(first + i, dims.COLUMNS - 1u);
    let tap = mine / dims.C4;
    let r = tap / dims.S;
    taps[i] = r * dims.X_ROW + (tap - r * dims.S) * dims.C4 + mine - tap * dims.C4;
  }
  workgroupBarrier();

  var sums: Sums; // zeros
  let begin = chunk * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.QUADS);
  for (var quad = begin; quad < end; quad += QUADS) {
    // Past the chunk's end dy counts as 0, and x is any pixel.
    for (var i = lane; i < TILE * QUADS; i += LANES) {
      let of_dy = min(quad + i % QUADS, end - 1u);
      let image_dy = of_dy / dims.PQ;
      let channel = min(o + i / QUADS, dims.O - 1u);
      let v = dy[(image_dy * dims.O + channel) * dims.PQ + of_dy - image_dy * dims.PQ];
      rows[i] = Quad(select(vec4f(), v, quad + i % QUADS < end));
      let item = i / TILE_QUADS;
      let of_x = min(quad + item / 4u, end - 1u);
      let image = of_x / dims.PQ;
      let pixel = min((of_x - image * dims.PQ) * 4u + item % 4u, dims.P - 1u);
      let oh = pixel / dims.OW;
      let start = image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
      columns[i] = Quad(x[start + taps[i % TILE_QUADS]]);
    }
    workgroupBarrier();
    if (quadrant < 4u) { multiply(&sums, quadrant, false); }
    workgroupBarrier();
  }

  for (var i = 0u; i < ROWS; i++) {
    if (quadrant < 4u) { put_stripe(&sums, quadrant, i); }
    workgroupBarrier();
    for (var e = lane; e < 4u * STRIPE; e += LANES) {
      let channel = o + stripe_row(e, i);
      let column = first + stripe_quad(e);
      if (channel < dims.O && column < dims.COLUMNS) {
        g[(chunk * dims.O + channel) * dims.COLUMNS + column] = stripes[e];
      }
    }
    workgroupBarrier();
  }
}
