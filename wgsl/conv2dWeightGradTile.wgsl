// conv2dWeightGradTile: gradient of conv2d for its weight, in tiles through workgroup memory; a partial sum a chunk.
//   g[i,o,r,s,c] = sum_{b,p in chunk i} dy[b,o,p] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; dy: [B, O, 4*PQ], 0 from pixel P on;
//             g: [CHUNKS, O, R*S*4*C4]. Strides count vec4f
// workgroups  linear over (chunk, channel tile, column tile), x + y * groups.x; TILES in all
// invocations 256 = 16 x 16, 4 channels o x 4 neighbours in (r, s, c) each; 8320 bytes of workgroup memory
// numerics    f32 fma, pixels ascending within CHUNK quads; chunks are added by repack in order: bits repeat
// oracle      core/ops/conv2dWeightGrad.ts (reference), 1e-5 relative to sum |x||dy|
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> g: array<vec4f>;
struct Dims {
  O: u32, C4: u32, S: u32, COLUMNS: u32, QUADS: u32, PQ: u32, P: u32, OW: u32,
  X_IMAGE: u32, X_ROW: u32, STEP_Y: u32, STEP_X: u32, CHUNK: u32, TILES: u32,
}
@group(0) @binding(3) var<uniform> dims: Dims;

// Tiles of both operands, DEPTH x 64; a column more a row, so that the transposing writes spread over the banks.
const DEPTH = 16u;
const PITCH = 65u;
var<workgroup> rows: array<f32, DEPTH * PITCH>;
var<workgroup> columns: array<f32, DEPTH * PITCH>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.COLUMNS + 15u) / 16u;
  let tiles_o = (dims.O + 63u) / 64u;
  let quad_column = (index % tiles_n) * 16u + lane % 16u; // four neighbours in c at one tap
  let o = ((index / tiles_n) % tiles_o) * 64u;
  let chunk = index / (tiles_n * tiles_o);

  // One load a lane fills a tile: of dy, channel lane / 4 and four pixels; of x, pixel lane / 16 and four channels.
  let from_dy = min(o + lane / 4u, dims.O - 1u) * dims.PQ;
  let mine = min(quad_column, dims.COLUMNS - 1u);
  let tap = mine / dims.C4;
  let r = tap / dims.S;
  let from_x = r * dims.X_ROW + (tap - r * dims.S) * dims.C4 + mine - tap * dims.C4;
  let row = (lane / 16u) * 4u;
  let column = (lane % 16u) * 4u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  let begin = chunk * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.QUADS);
  for (var quad = begin; quad < end; quad += DEPTH / 4u) {
    // Past the chunk's end dy counts as 0, and x is any pixel.
    let of_dy = min(quad + lane % 4u, end - 1u);
    let image_dy = of_dy / dims.PQ;
    let d = dy[from_dy + image_dy * dims.O * dims.PQ + of_dy - image_dy * dims.PQ];
    let v = select(vec4f(), d, quad + lane % 4u < end);
    let depth = lane % 4u * 4u;
    rows[depth * PITCH + lane / 4u] = v.x;
    rows[(depth + 1u) * PITCH + lane / 4u] = v.y;
    rows[(depth + 2u) * PITCH + lane / 4u] = v.z;
    rows[(depth + 3u) * PITCH + lane / 4u] = v.w;
    let of_x = min(quad + lane / 64u, end - 1u);
    let image = of_x / dims.PQ;
    let pixel = min((of_x - image * dims.PQ) * 4u + (lane / 16u) % 4u, dims.P - 1u);
    let oh = pixel / dims.OW;
    let u = x[from_x + image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X];
    let to = (lane / 16u) * PITCH + column;
    columns[to] = u.x;
    columns[to + 1u] = u.y;
    columns[to + 2u] = u.z;
    columns[to + 3u] = u.w;
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

  if (quad_column >= dims.COLUMNS) { return; }
  let at = chunk * dims.O * dims.COLUMNS + quad_column;
  let first = o + row;
  if (first < dims.O) { g[at + first * dims.COLUMNS] = sum0; }
  if (first + 1u < dims.O) { g[at + (first + 1u) * dims.COLUMNS] = sum1; }
  if (first + 2u < dims.O) { g[at + (first + 2u) * dims.COLUMNS] = sum2; }
  if (first + 3u < dims.O) { g[at + (first + 3u) * dims.COLUMNS] = sum3; }
}
