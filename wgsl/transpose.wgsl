// transpose: axes in another order.
//   y[j0, j1, ...] = x[sum over axes a of j_a STRIDES[a]]
// shapes      x, y: COUNT elements; SIZES: y's axes, innermost first, RANK <= 8; STRIDES: of x along them
// workgroups  linear over groups of PER_LANE elements, WG per workgroup
// invocations WG: PER_LANE neighbours along the innermost axis each, of which it has a multiple; so few divisions
// numerics    exact: moves bits
// oracle      core/ops/transpose.ts (reference), exact
@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<u32>;
struct Dims { COUNT: u32, RANK: u32, PER_LANE: u32, SIZES: array<vec4u, 2>, STRIDES: array<vec4u, 2> }
@group(0) @binding(2) var<uniform> dims: Dims;

const WG = 64u;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let j = ((group.x + group.y * groups.x) * WG + lane) * dims.PER_LANE;
  if (j >= dims.COUNT) { return; }
  var rest = j;
  var i = 0u;
  for (var axis = 0u; axis < dims.RANK; axis++) {
    let size = dims.SIZES[axis / 4u][axis % 4u];
    let outer = rest / size;
    i += (rest - outer * size) * dims.STRIDES[axis / 4u][axis % 4u];
    rest = outer;
  }
  for (var k = 0u; k < dims.PER_LANE; k++) { y[j + k] = x[i + k * dims.STRIDES[0].x]; }
}
