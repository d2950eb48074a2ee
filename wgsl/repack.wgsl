// repack: strided copy of four axes into a dense array, with padding, dilation and a sum over copies.
//   y[i0,i1,i2,i3] = sum_{j < TERMS} x[BASE + j TERM + sum_a s_a STRIDE_a],  s_a = (i_a - PAD_a) / DILATION_a
//   and 0 where s_a is no integer in [0, SIZE_a); axes 0 and 3 have neither padding nor dilation
// shapes      y: [N0, N1, N2, N3]; x: any view with signed strides
// workgroups  linear, x + y * groups.x; 64 invocations each
// invocations one per (i0, i1, i2, SPAN groups of four neighbours along axis 3)
// numerics    a copy; TERMS > 1 adds in ascending j, so runs repeat bit for bit
// oracle      none of its own: a step of matmul, conv2d, conv2dInputGrad, conv2dWeightGrad
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
struct Dims {
  N0: u32, N1: u32, N2: u32, N3: u32,
  BASE: i32, STRIDE0: i32, STRIDE1: i32, STRIDE2: i32, STRIDE3: i32,
  PAD1: i32, PAD2: i32, SIZE1: i32, SIZE2: i32, SIZE3: u32, DILATION1: i32, DILATION2: i32,
  SPAN: u32, TERMS: u32, TERM: i32,
}
@group(0) @binding(2) var<uniform> dims: Dims;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let blocks = (dims.N3 + 4u * dims.SPAN - 1u) / (4u * dims.SPAN);
  let index = (group.x + group.y * groups.x) * 64u + lane;
  let row = index / blocks;
  let i2 = row % dims.N2;
  let i1 = (row / dims.N2) % dims.N1;
  let i0 = row / (dims.N2 * dims.N1);
  if (i0 >= dims.N0) { return; }

  let d1 = i32(i1) - dims.PAD1;
  let s1 = d1 / dims.DILATION1;
  let d2 = i32(i2) - dims.PAD2;
  let s2 = d2 / dims.DILATION2;
  let inside = d1 >= 0 && s1 < dims.SIZE1 && s1 * dims.DILATION1 == d1
    && d2 >= 0 && s2 < dims.SIZE2 && s2 * dims.DILATION2 == d2;
  let begin = (index % blocks) * dims.SPAN * 4u;
  let end = min(begin + dims.SPAN * 4u, dims.N3);
  let limit = select(0u, dims.SIZE3, inside);
  let start = dims.BASE + i32(i0) * dims.STRIDE0 + s1 * dims.STRIDE1 + s2 * dims.STRIDE2;
  for (var i3 = begin; i3 < end; i3 += 4u) {
    var v = vec4f();
    var at = start + i32(i3) * dims.STRIDE3;
    for (var j = 0u; j < dims.TERMS; j++) {
      if (i3 < limit) { v.x += x[u32(at)]; }
      if (i3 + 1u < limit) { v.y += x[u32(at + dims.STRIDE3)]; }
      if (i3 + 2u < limit) { v.z += x[u32(at + 2 * dims.STRIDE3)]; }
      if (i3 + 3u < limit) { v.w += x[u32(at + 3 * dims.STRIDE3)]; }
      at += dims.TERM;
    }
    let to = row * dims.N3 + i3;
    y[to] = v.x;
    if (i3 + 1u < end) { y[to + 1u] = v.y; }
    if (i3 + 2u < end) { y[to + 2u] = v.z; }
    if (i3 + 3u < end) { y[to + 3u] = v.w; }
  }
}
