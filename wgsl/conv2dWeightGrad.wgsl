// conv2dWeightGrad: gradient of conv2d for its weight in register tiles; a partial sum a chunk.
//   g[i,o,r,s,c] = sum_{b,p in chunk i} dy[b,o,p] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; dy: [B, O, 4*PQ], 0 from pixel P on;
//             g: [CHUNKS, O, R*S*4*C4]. Strides count vec4f
// workgroups  linear, x + y * groups.x; 64 tiles each
// invocations one per tile of 4 channels o x 8 neighbours in (r, s, c), kept in registers; TILES in all
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

fn row(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, sum))));
}

// Where a column, that is one tap and four channels, begins in x.
fn column_start(column: u32) -> u32 {
  let tap = column / dims.C4;
  let r = tap / dims.S;
  return r * dims.X_ROW + (tap - r * dims.S) * dims.C4 + column - tap * dims.C4;
}

fn store(chunk: u32, column: u32, o: u32, c0: vec4f, c1: vec4f, c2: vec4f, c3: vec4f) {
  if (column >= dims.COLUMNS) { return; }
  let at = (chunk * dims.O + o) * dims.COLUMNS + column;
  g[at] = c0;
  if (o + 1u < dims.O) { g[at + dims.COLUMNS] = c1; }
  if (o + 2u < dims.O) { g[at + 2u * dims.COLUMNS] = c2; }
  if (o + 3u < dims.O) { g[at + 3u * dims.COLUMNS] = c3; }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * 64u + lane;
  if (index >= dims.TILES) { return; }
  let tiles_n = (dims.COLUMNS + 1u) / 2u;
  let tiles_o = (dims.O + 3u) / 4u;
  let column = (index % tiles_n) * 2u;
  let o = ((index / tiles_n) % tiles_o) * 4u;
  let chunk = index / (tiles_n * tiles_o);
  let from_c = column_start(column);
  let from_d = column_start(min(column + 1u, dims.COLUMNS - 1u));
  let from_dy = min(o + vec4u(0u, 1u, 2u, 3u), vec4u(dims.O - 1u)) * dims.PQ;
  var c0 = vec4f(); var d0 = vec4f();
  var c1 = vec4f(); var d1 = vec4f();
  var c2 = vec4f(); var d2 = vec4f();
  var c3 = vec4f(); var d3 = vec4f();

  let begin = chunk * dims.CHUNK;
  let end = min(begin + dims.CHUNK, dims.QUADS);
  let per_row = 1.0 / f32(dims.OW);
  var image = begin / dims.PQ;
  var place = begin - image * dims.PQ;
  for (var quad = begin; quad < end; quad++) {
    let pixel = min(place * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(dims.P - 1u));
    // Exact up to 2^21 pixels; an integer division would cost as much as the four loads.
    let oh = vec4u((vec4f(pixel) + 0.5) * per_row);
    let at = image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
    let at_c = at + from_c;
    let at_d = at + from_d;
    let b0 = x[at_c.x];
    let b1 = x[at_c.y];
    let b2 = x[at_c.z];
    let b3 = x[at_c.w];
    let e0 = x[at_d.x];
    let e1 = x[at_d.y];
    let e2 = x[at_d.z];
    let e3 = x[at_d.w];
    let at_dy = from_dy + image * dims.O * dims.PQ + place;
    let a0 = dy[at_dy.x];
    let a1 = dy[at_dy.y];
    let a2 = dy[at_dy.z];
    let a3 = dy[at_dy.w];
    c0 = row(c0, a0, b0, b1, b2, b3); d0 = row(d0, a0, e0, e1, e2, e3);
    c1 = row(c1, a1, b0, b1, b2, b3); d1 = row(d1, a1, e0, e1, e2, e3);
    c2 = row(c2, a2, b0, b1, b2, b3); d2 = row(d2, a2, e0, e1, e2, e3);
    c3 = row(c3, a3, b0, b1, b2, b3); d3 = row(d3, a3, e0, e1, e2, e3);
    place += 1u;
    if (place == dims.PQ) {
      place = 0u;
      image += 1u;
    }
  }
  store(chunk, column, o, c0, c1, c2, c3);
  store(chunk, column + 1u, o, d0, d1, d2, d3);
}
