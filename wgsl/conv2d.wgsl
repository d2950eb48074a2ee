// conv2d: 2-D cross-correlation in register tiles; also the input gradient, with flipped weights.
//   y[b,o,p] = sum_{r,s,c} w[r,s,o,c] * x[b, STRIDE (p / OW) + r, STRIDE (p % OW) + s, c]
// shapes      x: [B, H, W, 4*C4] f32 with the zero padding in it; w: [R, S, O, 4*C4]; y: [B, O, 4*PQ], of which P
//             pixels count; R, S, O, C4 >= 1. Strides count vec4f
// workgroups  linear, x + y * groups.x; 64 tiles each
// invocations one per tile of 4 channels x 8 pixels, kept in registers; TILES in all
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

fn row(sum: vec4f, a: vec4f, b0: vec4f, b1: vec4f, b2: vec4f, b3: vec4f) -> vec4f {
  return fma(vec4f(a.w), b3, fma(vec4f(a.z), b2, fma(vec4f(a.y), b1, fma(vec4f(a.x), b0, sum))));
}

// Where the four pixels of a quad begin in x.
fn pixels_of(quad: u32) -> vec4u {
  let image = quad / dims.PQ;
  let pixel = min((quad - image * dims.PQ) * 4u + vec4u(0u, 1u, 2u, 3u), vec4u(dims.P - 1u));
  let oh = pixel / dims.OW;
  return image * dims.X_IMAGE + oh * dims.STEP_Y + (pixel - oh * dims.OW) * dims.STEP_X;
}

fn store(quad: u32, o: u32, c0: vec4f, c1: vec4f, c2: vec4f, c3: vec4f) {
  if (quad >= dims.QUADS) { return; }
  let image = quad / dims.PQ;
  let at = image * dims.O * dims.PQ + quad - image * dims.PQ;
  y[at + o * dims.PQ] = c0;
  if (o + 1u < dims.O) { y[at + (o + 1u) * dims.PQ] = c1; }
  if (o + 2u < dims.O) { y[at + (o + 2u) * dims.PQ] = c2; }
  if (o + 3u < dims.O) { y[at + (o + 3u) * dims.PQ] = c3; }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * 64u + lane;
  if (index >= dims.TILES) { return; }
  let tiles_o = (dims.O + 3u) / 4u;
  let o = (index % tiles_o) * 4u;
  let quad = (index / tiles_o) * 2u;
  let from_c = pixels_of(quad);
  let from_d = pixels_of(min(quad + 1u, dims.QUADS - 1u));
  let from_w = min(o + vec4u(0u, 1u, 2u, 3u), vec4u(dims.O - 1u)) * dims.C4;
  var c0 = vec4f(); var d0 = vec4f();
  var c1 = vec4f(); var d1 = vec4f();
  var c2 = vec4f(); var d2 = vec4f();
  var c3 = vec4f(); var d3 = vec4f();

  for (var r = 0u; r < dims.R; r++) {
    for (var s = 0u; s < dims.S; s++) {
      let offset = r * dims.X_ROW + s * dims.C4;
      let at_c = from_c + offset;
      let at_d = from_d + offset;
      let at_w = from_w + (r * dims.S + s) * dims.O * dims.C4;
      for (var k = 0u; k < dims.C4; k++) {
        let p = mat4x4f(x[at_c.x + k], x[at_c.y + k], x[at_c.z + k], x[at_c.w + k]);
        let q = mat4x4f(x[at_d.x + k], x[at_d.y + k], x[at_d.z + k], x[at_d.w + k]);
        let b = transpose(p);
        let e = transpose(q);
        let a0 = w[at_w.x + k];
        let a1 = w[at_w.y + k];
        let a2 = w[at_w.z + k];
        let a3 = w[at_w.w + k];
        c0 = row(c0, a0, b[0], b[1], b[2], b[3]); d0 = row(d0, a0, e[0], e[1], e[2], e[3]);
        c1 = row(c1, a1, b[0], b[1], b[2], b[3]); d1 = row(d1, a1, e[0], e[1], e[2], e[3]);
        c2 = row(c2, a2, b[0], b[1], b[2], b[3]); d2 = row(d2, a2, e[0], e[1], e[2], e[3]);
        c3 = row(c3, a3, b[0], b[1], b[2], b[3]); d3 = row(d3, a3, e[0], e[1], e[2], e[3]);
      }
    }
  }
  store(quad, o, c0, c1, c2, c3);
  store(quad + 1u, o, d0, d1, d2, d3);
}
