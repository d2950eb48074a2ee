// random: N(0, 1) or uniform [0, 1) numbers, a pure function of key, stream and position.
//   (u0, u1, u2, u3) = philox(counter = (block, step, stream, 0), key = seed) / 2^32 to 24 bits
//   normal: sqrt(-2 ln(1 - u0)) (cos, sin)(2 pi u1), and the same of u2, u3
// shapes      key: [3] i32 = seed low, seed high, step; rows: [R] i32, y: [COUNT] f32. The numbers are those of a larger
//             draw from row rows[0] on, a row being WIDTH elements
// workgroups  linear over blocks of 4 elements, WG per workgroup; y may begin and end inside of a block
// invocations WG: one block each
// numerics    integers and uniforms bit for bit as the reference; normals to 1e-6
// oracle      core/ops/random.ts (reference), uniform exact, normal 1e-5
// paper       Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"; Box and Muller 1958
// uses        lib/philox, lib/logarithm, lib/trigonometry
@group(0) @binding(0) var<storage, read> key: array<i32>;
@group(0) @binding(1) var<storage, read> rows: array<i32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
struct Dims { COUNT: u32, WIDTH: u32, STREAM: u32, NORMAL: u32 }
@group(0) @binding(3) var<uniform> dims: Dims;

const WG = 64u;

// Two independent normals; the logarithm's argument is exact and in (0, 1].
fn normal_pair(u: vec2f) -> vec2f {
  return sqrt(-2.0 * log_precise(1.0 - u.x)) * cos_sin_turns(u.y);
}

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.x + group.y * groups.x) * WG + lane;
  let first = u32(rows[0]) * dims.WIDTH;
  let shift = first % 4u;
  if (index * 4u >= dims.COUNT + shift) { return; }
  let seed = vec2u(bitcast<u32>(key[0]), bitcast<u32>(key[1]));
  let u = uniform_from(philox(vec4u(first / 4u + index, bitcast<u32>(key[2]), dims.STREAM, 0u), seed));
  var values = u;
  if (dims.NORMAL == 1u) { values = vec4f(normal_pair(u.xy), normal_pair(u.zw)); }
  for (var i = 0u; i < 4u; i++) {
    // Before y the difference wraps around to a large number.
    let at = index * 4u + i - shift;
    if (at < dims.COUNT) { y[at] = values[i]; }
  }
}
