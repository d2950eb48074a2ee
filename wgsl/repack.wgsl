// repack: strided copy of four axes into a dense array, with padding, dilation and a sum over copies.
//   y[i0,i1,i2,i3] = sum_{j < TERMS} x[BASE + j TERM + sum_a s_a STRIDE_a],  s_a = (i_a - PAD_a) / DILATION_a
//   and 0 where s_a is no integer in [0, SIZE_a); axes 0 and 3 have no dilation, axis 0 no padding
// shapes      y: [N0, N1, N2, N3]; x: any view with signed strides
// workgroups  linear, x + y * groups.x; 64 invocations each
// invocations one per (i0, i1, four neighbours along axis 3), looping over axis 2: few divisions
// numerics    a copy; TERMS > 1 adds in ascending j, so runs repeat bit for bit
// oracle      none of its own: a step of matmul, conv2d, conv2dInputGrad, conv2dWeightGrad
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims {
  N0: u32, N1: u32, N2: u32, N3: u32,
  BASE: i32, STRIDE0: i32, STRIDE1: i32, STRIDE2: i32, STRIDE3: i32,
  PAD1: i32, SIZE1: i32, SIZE2: i32, SIZE3: u32, DILATION1: i32, DILATION2: i32,
  START2: i32, WAIT2: i32, // s2 of the first copied i2, and how many zeros come before it
  TERMS: u32, TERM: i32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

fn total(at: i32) -> f32 {
  var sum = x[u32(at)];
  for (var j = 1u; j < dims.TERMS; j++) { sum += x[u32(at + i32(j) * dims.TERM)]; }
  return sum;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quads = (dims.N3 + 3u) / 4u;
  let index = (group.x + group.y * groups.x) * 64u + lane;
  let i3 = (index % quads) * 4u;
  let i1 = (index / quads) % dims.N1;
  let i0 = index / (quads * dims.N1);
  if (i0 >= dims.N0) { return; }

  let d1 = i32(i1) - dims.PAD1;
  let s1 = d1 / dims.DILATION1;
  let inside1 = d1 >= 0 && s1 < dims.SIZE1 && s1 * dims.DILATION1 == d1;
  let start = dims.BASE + i32(i0) * dims.STRIDE0 + s1 * dims.STRIDE1 + i32(i3) * dims.STRIDE3;
  var to = (i0 * dims.N1 + i1) * dims.N2 * dims.N3 + i3;
  // s2 and its remainder advance with i2 instead of being divided anew.
  var s2 = dims.START2;
  var wait = dims.WAIT2;
  for (var i2 = 0u; i2 < dims.N2; i2++) {
    let inside = inside1 && wait == 0 && s2 < dims.SIZE2;
    var v = vec4f();
    if (inside) {
      let at = start + s2 * dims.STRIDE2;
      if (i3 < dims.SIZE3) { v.x = total(at); }
      if (i3 + 1u < dims.SIZE3) { v.y = total(at + dims.STRIDE3); }
      if (i3 + 2u < dims.SIZE3) { v.z = total(at + 2 * dims.STRIDE3); }
      if (i3 + 3u < dims.SIZE3) { v.w = total(at + 3 * dims.STRIDE3); }
    }
    y[to] = v.x;
    if (i3 + 1u < dims.N3) { y[to + 1u] = v.y; }
    if (i3 + 2u < dims.N3) { y[to + 2u] = v.z; }
    if (i3 + 3u < dims.N3) { y[to + 3u] = v.w; }
    to += dims.N3;
    if (wait == 0) {
      s2 += 1;
      wait = dims.DILATION2;
    }
    wait -= 1;
  }
}
