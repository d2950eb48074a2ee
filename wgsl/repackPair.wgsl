// repackPair: two copies as in repack, of tensors of their own, in one dispatch: images and weights before a convolution.
//   y[i0,i1,i2,i3] = x[BASE + sum_a s_a STRIDE_a],  s_a = (i_a - PAD_a) / DILATION_a
//   and 0 where s_a is no integer in [0, SIZE_a); axes 0 and 3 have neither padding nor dilation
// shapes      y0, y1: [N0, N1, N2, N3] of their own; x0, x1: any views with signed strides. Fields are (copy 0, copy 1)
// workgroups  linear, x + y * groups.x; 64 invocations each; the first GROUPS make copy 0
// invocations one per (i0, i1, i2, SPAN groups of four neighbours along axis 3)
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
  PAD1: vec2i, PAD2: vec2i, SIZE1: vec2i, SIZE2: vec2i, SIZE3: vec2u, DILATION1: vec2i, DILATION2: vec2i,
  SPAN: vec2u,
}
@group(0) @binding(4) var<uniform> dims: Dims;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let linear = group.x + group.y * groups.x;
  let c = u32(linear >= dims.GROUPS);
  let step = 4u * dims.SPAN[c];
  let n3 = dims.N3[c];
  let blocks = (n3 + step - 1u) / step;
  let index = (linear - c * dims.GROUPS) * 64u + lane;
  let row = index / blocks;
  let i2 = row % dims.N2[c];
  let i1 = (row / dims.N2[c]) % dims.N1[c];
  let i0 = row / (dims.N2[c] * dims.N1[c]);
  if (i0 >= dims.N0[c]) { return; }

  let d1 = i32(i1) - dims.PAD1[c];
  let s1 = d1 / dims.DILATION1[c];
  let d2 = i32(i2) - dims.PAD2[c];
  let s2 = d2 / dims.DILATION2[c];
  let inside = d1 >= 0 && s1 < dims.SIZE1[c] && s1 * dims.DILATION1[c] == d1
    && d2 >= 0 && s2 < dims.SIZE2[c] && s2 * dims.DILATION2[c] == d2;
  let stride = dims.STRIDE3[c];
  let begin = (index % blocks) * step;
  let end = min(begin + step, n3);
  let limit = select(0u, dims.SIZE3[c], inside);
  let base = dims.BASE[c] + i32(i0) * dims.STRIDE0[c] + s1 * dims.STRIDE1[c] + s2 * dims.STRIDE2[c];
  var at = base + i32(begin) * stride;
  var to = row * n3 + begin;
  // A loop for each copy, and not a choice in one loop: software adapters pay for both sides of a branch.
  let end0 = select(0u, end, c == 0u);
  for (var i3 = begin; i3 < end0; i3 += 4u) {
    var v = vec4f();
    if (i3 < limit) { v.x = x0[u32(at)]; }
    if (i3 + 1u < limit) { v.y = x0[u32(at + stride)]; }
    if (i3 + 2u < limit) { v.z = x0[u32(at + 2 * stride)]; }
    if (i3 + 3u < limit) { v.w = x0[u32(at + 3 * stride)]; }
    y0[to] = v.x;
    if (i3 + 1u < end) { y0[to + 1u] = v.y; }
    if (i3 + 2u < end) { y0[to + 2u] = v.z; }
    if (i3 + 3u < end) { y0[to + 3u] = v.w; }
    at += 4 * stride;
    to += 4u;
  }
  let end1 = select(0u, end, c == 1u);
  for (var i3 = begin; i3 < end1; i3 += 4u) {
    var v = vec4f();
    if (i3 < limit) { v.x = x1[u32(at)]; }
    if (i3 + 1u < limit) { v.y = x1[u32(at + stride)]; }
    if (i3 + 2u < limit) { v.z = x1[u32(at + 2 * stride)]; }
    if (i3 + 3u < limit) { v.w = x1[u32(at + 3 * stride)]; }
    y1[to] = v.x;
    if (i3 + 1u < end) { y1[to + 1u] = v.y; }
    if (i3 + 2u < end) { y1[to + 2u] = v.z; }
    if (i3 + 3u < end) { y1[to + 3u] = v.w; }
    at += 4 * stride;
    to += 4u;
  }
}
