// winogradInput: images, and with them weights or gradients, taken to where a 3 x 3 convolution is 36 products of matrices.
//   v[p, t, c] = (B' d B)[p], d the 6 x 6 pixels of channel c whose middle 4 x 4 are tile t, 0 past the edge
//   weights:   u[p, o, c] = (G w G')[p] of the 3 x 3 taps of channels o and c, in reverse order where FLIP is 1
//   gradients: u[p, t, o] = (A e A')[p], e tile t of channel o
// shapes      x: [B, C, H, 4*W4] f32, 0 from the image's own width on; v: [36, T, C], tiles t = (b, y, x);
//             weights: z: [O, C, 3, 3], u: [36, O, C]; gradients: z: [B, O, H, 4*W4], u: [36, T, O]; C and O multiples of 4.
//             Places p are in the order of lib/winograd
// workgroups  linear, x + y * groups.x; the first GROUPS make v, the others u; 64 invocations each
// invocations v: one per channel and row of tiles; u: one per pair of channels, or per channel and tile. Four neighbours
//             exchange what they store: four channels at a time
// numerics    f32 fma; numbers grow up to 33 times in v, 1.5 (weights) and 66 times (gradients) in u
// oracle      none of its own: a step of conv2d, conv2dInputGrad, conv2dWeightGrad
// paper       Lavin, Gray 2016, Fast Algorithms for Convolutional Neural Networks
// uses        lib/winograd, lib/quadTranspose
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> z: array<f32>;
@group(0) @binding(2) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> u: array<vec4f>;
struct Dims {
  GROUPS: u32, COUNT: u32, COUNT_U: u32, C: u32, C_U: u32, H: u32, W4: u32, TH: u32, STRIDE: u32, STRIDE_U: u32, FLIP: u32,
}
@group(0) @binding(4) var<uniform> dims: Dims;

// What u is made of: weights, or gradients.
override GRADIENTS: bool = false;

fn pixels_of(at: u32, inside: bool) -> vec4f {
  var pixels = vec4f();
  if (inside) { pixels = x[at]; }
  return pixels;
}

fn gradients_of(at: u32, inside: bool) -> vec4f {
  var pixels = vec4f();
  if (inside) { pixels = vec4f(z[4u * at], z[4u * at + 1u], z[4u * at + 2u], z[4u * at + 3u]); }
  return pixels;
}

// A row of tiles from left to right: each four columns are read, and taken along y, once.
fn make_v(index: u32, lane: u32) {
  let c = index % dims.C;
  let row = index / dims.C;
  let top = 4u * (row % dims.TH) - 1u; // wraps round above the image
  let start = (row / dims.TH * dims.C + c) * dims.H * dims.W4 + top * dims.W4;
  let first = (lane % 4u) * dims.STRIDE + (row * dims.W4 * dims.C + c) / 4u;
  var edge = vec4f();
  var rest_edge = vec4f();
  var columns = mat4x4f();
  var rest_columns = mat4x4f();
  for (var k = 0u; k <= dims.W4; k++) {
    let at = start + k;
    let inside = k < dims.W4;
    let rows = winograd_input(Six(
      pixels_of(at, inside && top < dims.H),
      pixels_of(at + dims.W4, inside),
      pixels_of(at + 2u * dims.W4, inside && top + 2u < dims.H),
      pixels_of(at + 3u * dims.W4, inside && top + 3u < dims.H),
      pixels_of(at + 4u * dims.W4, inside && top + 4u < dims.H),
      pixels_of(at + 5u * dims.W4, inside && top + 5u < dims.H),
    ));
    let a = winograd_columns(rows);
    let b = winograd_rest_columns(rows);
    if (k > 0u) {
      let places = winograd_nine(
        winograd_input(Six(edge, columns[0], columns[1], columns[2], columns[3], a[0])),
        winograd_input(Six(rest_edge, rest_columns[0], rest_columns[1], rest_columns[2], rest_columns[3], b[0])),
      );
      let to = first + (k - 1u) * dims.C / 4u;
      let four = 4u * dims.STRIDE;
      v[to] = quad_transpose(places[0], lane);
      v[to + four] = quad_transpose(places[1], lane);
      v[to + 2u * four] = quad_transpose(places[2], lane);
      v[to + 3u * four] = quad_transpose(places[3], lane);
      v[to + 4u * four] = quad_transpose(places[4], lane);
      v[to + 5u * four] = quad_transpose(places[5], lane);
      v[to + 6u * four] = quad_transpose(places[6], lane);
      v[to + 7u * four] = quad_transpose(places[7], lane);
      v[to + 8u * four] = quad_transpose(places[8], lane);
    }
    edge = columns[3];
    rest_edge = rest_columns[3];
    columns = a;
    rest_columns = b;
  }
}

fn places_of_weights(index: u32) -> Nine {
  let at = 9u * index;
  let a = vec4f(z[at], z[at + 1u], z[at + 2u], 0.0);
  let b = vec4f(z[at + 3u], z[at + 4u], z[at + 5u], 0.0);
  let c = vec4f(z[at + 6u], z[at + 7u], z[at + 8u], 0.0);
  let flip = dims.FLIP == 1u;
  let rows = winograd_weights(Three(select(a, c.zyxw, flip), select(b, b.zyxw, flip), select(c, a.zyxw, flip)));
  let columns = winograd_columns(rows);
  let rest = winograd_rest_columns(rows);
  return winograd_nine(
    winograd_weights(Three(columns[0], columns[1], columns[2])),
    winograd_weights(Three(rest[0], rest[1], rest[2])),
  );
}

fn places_of_gradients(index: u32) -> Nine {
  let c = index % dims.C_U;
  let tile = index / dims.C_U;
  let row = tile / dims.W4;
  let top = 4u * (row % dims.TH);
  let at = ((row / dims.TH * dims.C_U + c) * dims.H + top) * dims.W4 + tile % dims.W4;
  let rows = winograd_spread(Four(
    gradients_of(at, true),
    gradients_of(at + dims.W4, top + 1u < dims.H),
    gradients_of(at + 2u * dims.W4, top + 2u < dims.H),
    gradients_of(at + 3u * dims.W4, top + 3u < dims.H),
  ));
  let columns = winograd_columns(rows);
  let rest = winograd_rest_columns(rows);
  return winograd_nine(
    winograd_spread(Four(columns[0], columns[1], columns[2], columns[3])),
    winograd_spread(Four(rest[0], rest[1], rest[2], rest[3])),
  );
}

fn make_u(index: u32, lane: u32) {
  var places: Nine;
  if (GRADIENTS) { places = places_of_gradients(index); } else { places = places_of_weights(index); }
  let to = (lane % 4u) * dims.STRIDE_U + index / 4u;
  let four = 4u * dims.STRIDE_U;
  u[to] = quad_transpose(places[0], lane);
  u[to + four] = quad_transpose(places[1], lane);
  u[to + 2u * four] = quad_transpose(places[2], lane);
  u[to + 3u * four] = quad_transpose(places[3], lane);
  u[to + 4u * four] = quad_transpose(places[4], lane);
  u[to + 5u * four] = quad_transpose(places[5], lane);
  u[to + 6u * four] = quad_transpose(places[6], lane);
  u[to + 7u * four] = quad_transpose(places[7], lane);
  u[to + 8u * four] = quad_transpose(places[8], lane);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Lanes past the end repeat the last four, and store equal numbers again: exchanges need all of them.
  let linear = group.x + group.y * groups.x;
  if (linear < dims.GROUPS) {
    make_v(min(linear * 64u + lane, dims.COUNT - 4u + lane % 4u), lane);
  } else {
    make_u(min((linear - dims.GROUPS) * 64u + lane, dims.COUNT_U - 4u + lane % 4u), lane);
  }
}
