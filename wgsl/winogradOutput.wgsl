// winogradOutput: the 36 products of a 3 x 3 convolution, taken back to pixels.
//   y[b, o, 4ty + r, 4tx + s] = (A' m A)[r, s], m the 6 x 6 values of channel o and tile t = (b, ty, tx)
// shapes      m: [36, T, O] f32, places in the order of lib/winograd, O a multiple of 4; y: [B, O, H, 4*W4]
// workgroups  linear, x + y * groups.x; 64 invocations each
// invocations one per tile and channel; four neighbours exchange what they read: four channels at a time
// numerics    f32 fma; numbers grow up to 74 times
// oracle      none of its own: a step of conv2d, conv2dInputGrad
// paper       Lavin, Gray 2016, Fast Algorithms for Convolutional Neural Networks
// uses        lib/winograd, lib/quadTranspose
enable subgroups;
@group(0) @binding(0) var<storage, read> m: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
struct Dims { COUNT: u32, O: u32, H: u32, W4: u32, TH: u32 }
@group(0) @binding(2) var<uniform> dims: Dims;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let linear = (group.x + group.y * groups.x) * 64u + lane;
  // Lanes past the end take part in exchanges, with the numbers of the last four.
  let index = min(linear, dims.COUNT - 4u + lane % 4u);
  let four = dims.COUNT;
  let start = (lane % 4u) * (four / 4u) + index / 4u;
  let places = Nine(
    quad_transpose(m[start], lane),
    quad_transpose(m[start + four], lane),
    quad_transpose(m[start + 2u * four], lane),
    quad_transpose(m[start + 3u * four], lane),
    quad_transpose(m[start + 4u * four], lane),
    quad_transpose(m[start + 5u * four], lane),
    quad_transpose(m[start + 6u * four], lane),
    quad_transpose(m[start + 7u * four], lane),
    quad_transpose(m[start + 8u * four], lane),
  );
  let top = winograd_results(winograd_top(places));
  let rest = winograd_results(winograd_rest(places));
  let rows = transpose(mat4x4f(top[0], top[1], top[2], top[3]));
  let pixels = winograd_results(Six(
    rows[0],
    rows[1],
    rows[2],
    rows[3],
    vec4f(rest[0].x, rest[1].x, rest[2].x, rest[3].x),
    vec4f(rest[0].y, rest[1].y, rest[2].y, rest[3].y),
  ));

  if (linear >= dims.COUNT) { return; }
  let o = index % dims.O;
  let tile = index / dims.O;
  let row = tile / dims.W4;
  let h = 4u * (row % dims.TH);
  let to = ((row / dims.TH * dims.O + o) * dims.H + h) * dims.W4 + tile % dims.W4;
  y[to] = pixels[0];
  if (h + 1u < dims.H) { y[to + dims.W4] = pixels[1]; }
  if (h + 2u < dims.H) { y[to + 2u * dims.W4] = pixels[2]; }
  if (h + 3u < dims.H) { y[to + 3u * dims.W4] = pixels[3]; }
}
