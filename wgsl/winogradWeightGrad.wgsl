// winogradWeightGrad: the 36 products of the gradient of a 3 x 3 convolution for its weight, taken back to taps.
//   g[o, c, r, s] = (G' n G)[r, s], n the 6 x 6 values of channels o and c
// shapes      n: [36, O, C] f32, places in the order of lib/winograd, C a multiple of 4; g: [O, C, 3, 3]
// workgroups  linear, x + y * groups.x; 64 invocations each
// invocations one per pair of channels; four neighbours exchange what they read: four channels at a time
// numerics    f32 fma; numbers grow up to 5 times
// oracle      none of its own: a step of conv2dWeightGrad
// paper       Lavin, Gray 2016, Fast Algorithms for Convolutional Neural Networks
// uses        lib/winograd, lib/quadTranspose
enable subgroups;
@group(0) @binding(0) var<storage, read> n: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> g: array<f32>;
struct Dims { COUNT: u32 }
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
    quad_transpose(n[start], lane),
    quad_transpose(n[start + four], lane),
    quad_transpose(n[start + 2u * four], lane),
    quad_transpose(n[start + 3u * four], lane),
    quad_transpose(n[start + 4u * four], lane),
    quad_transpose(n[start + 5u * four], lane),
    quad_transpose(n[start + 6u * four], lane),
    quad_transpose(n[start + 7u * four], lane),
    quad_transpose(n[start + 8u * four], lane),
  );
  let top = winograd_taps(winograd_top(places));
  let rest = winograd_taps(winograd_rest(places));
  let rows = transpose(mat3x4f(top[0], top[1], top[2]));
  let taps = winograd_taps(Six(
    vec4f(rows[0], 0.0),
    vec4f(rows[1], 0.0),
    vec4f(rows[2], 0.0),
    vec4f(rows[3], 0.0),
    vec4f(rest[0].x, rest[1].x, rest[2].x, 0.0),
    vec4f(rest[0].y, rest[1].y, rest[2].y, 0.0),
  ));

  if (linear >= dims.COUNT) { return; }
  let to = 9u * index;
  g[to] = taps[0].x;
  g[to + 1u] = taps[0].y;
  g[to + 2u] = taps[0].z;
  g[to + 3u] = taps[1].x;
  g[to + 4u] = taps[1].y;
  g[to + 5u] = taps[1].z;
  g[to + 6u] = taps[2].x;
  g[to + 7u] = taps[2].y;
  g[to + 8u] = taps[2].z;
}
