// repackPair: two copies as in repack, of tensors of their own, in one dispatch: images and weights before a convolution.
//   y[i0,i1,i2,i3] = x[BASE + sum_a s_a STRIDE_a],  s_a = (i_a - PAD_a) / DILATION_a
//   and 0 where s_a is no integer in [0, SIZE_a); axes 0 and 3 have no dilation, axis 0 no padding
// shapes      y0, y1: [N0, N1, N2, N3] of their own; x0, x1: any views with signed strides. Fields are (copy 0, copy 1)
// workgroups  linear, x + y * groups.x; 64 invocations each; the first GROUPS make copy 0
// invocations one per (i0, i1, four neighbours along axis 3), looping over axis 2: few divisions
// numerics    a copy
// oracle      none of its own: a step of conv2d, conv2dInputGrad
@group(0) @binding(0) var<storage, read> x0: array<f32>;
@group(0) @binding(1) var<storage, read> x1: array<f32>;
@group(0) @binding(2) var<storage, read_write> y0: array<f32>;
@group(0) @binding(3) var<storage, read_write> y1: array<f32>;
struct Dims {
  GROUPS: u32,
  N0: vec2u, N1: vec2u, N2: vec2u, N3: vec2u,
  BASE: vec2i, STRIDE0: vec2i, STRIDE1: vec2i, STRIDE2: vec2i, STRIDE3: vec2i,
  PAD1: vec2i, SIZE1: vec2i, SIZE2: vec2i, SIZE3: vec2u, DILATION1: vec2i, DILATION2: vec2i,
  START2: vec2i, WAIT2: vec2i, // s2 of the first copied i2, and how many zeros come before it
}
@group(0) @binding(4) var<uniform> dims: Dims;

fn fetch(copy: u32, at: i32) -> f32 {
  if (copy == 0u) { return x0[u32(at)]; }
  return x1[u32(at)];
}

fn put(copy: u32, at: u32, value: f32) {
  if (copy == 0u) { y0[at] = value; } else { y1[at] = value; }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let linear = group.x + group.y * groups.x;
  let c = u32(linear >= dims.GROUPS);
  let quads = (dims.N3[c] + 3u) / 4u;
  let index = (linear - c * dims.GROUPS) * 64u + lane;
  let i3 = (index % quads) * 4u;
  let i1 = (index / quads) % dims.N1[c];
  let i0 = index / (quads * dims.N1[c]);
  if (i0 >= dims.N0[c]) { return; }

  let d1 = i32(i1) - dims.PAD1[c];
  let s1 = d1 / dims.DILATION1[c];
  let inside1 = d1 >= 0 && s1 < dims.SIZE1[c] && s1 * dims.DILATION1[c] == d1;
  let stride3 = dims.STRIDE3[c];
  let start = dims.BASE[c] + i32(i0) * dims.STRIDE0[c] + s1 * dims.STRIDE1[c] + i32(i3) * stride3;
  let n3 = dims.N3[c];
  let size3 = dims.SIZE3[c];
  var to = (i0 * dims.N1[c] + i1) * dims.N2[c] * n3 + i3;
  // s2 and its remainder advance with i2 instead of being divided anew.
  var s2 = dims.START2[c];
  var wait = dims.WAIT2[c];
  for (var i2 = 0u; i2 < dims.N2[c]; i2++) {
    let inside = inside1 && wait == 0 && s2 < dims.SIZE2[c];
    var v = vec4f();
    if (inside) {
      let at = start + s2 * dims.STRIDE2[c];
      if (i3 < size3) { v.x = fetch(c, at); }
      if (i3 + 1u < size3) { v.y = fetch(c, at + stride3); }
      if (i3 + 2u < size3) { v.z = fetch(c, at + 2 * stride3); }
      if (i3 + 3u < size3) { v.w = fetch(c, at + 3 * stride3); }
    }
    put(c, to, v.x);
    if (i3 + 1u < n3) { put(c, to + 1u, v.y); }
    if (i3 + 2u < n3) { put(c, to + 2u, v.z); }
    if (i3 + 3u < n3) { put(c, to + 3u, v.w); }
    to += n3;
    if (wait == 0) {
      s2 += 1;
      wait = dims.DILATION2[c];
    }
    wait -= 1;
  }
}
