// sumChannels: sums of up to seven tensors, each over all axes but one: gradients of biases and scales, many in one dispatch.
//   y[Y_i + c] = sum over (r0, r1) of x_i[r0, c, r1]
// shapes      x_i: [R0, C, R1] and JOBS[i] = (C, R0, R1, Y); C is 0 where there is no job. y: where all results lie
// workgroups  linear over (job, c), x + y * groups.x; OUTPUTS in all
// invocations WG, a power of two, with 4*WG bytes of workgroup memory; lanes share the longer of the two reduced axes
// numerics    f32; lanes are added as a tree in fixed order: runs repeat bit for bit
// oracle      core/ops/sum.ts (reference), 1e-5 relative to sum |x|
// uses lib/channelJobs
@group(0) @binding(0) var<storage, read> x0: array<f32>;
@group(0) @binding(1) var<storage, read> x1: array<f32>;
@group(0) @binding(2) var<storage, read> x2: array<f32>;
@group(0) @binding(3) var<storage, read> x3: array<f32>;
@group(0) @binding(4) var<storage, read> x4: array<f32>;
@group(0) @binding(5) var<storage, read> x5: array<f32>;
@group(0) @binding(6) var<storage, read> x6: array<f32>;
@group(0) @binding(7) var<storage, read_write> y: array<f32>;
struct Dims { OUTPUTS: u32, JOBS: array<vec4u, 7> }
@group(0) @binding(8) var<uniform> dims: Dims;

const WG = 64u;
var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = group.x + group.y * groups.x;
  if (index >= dims.OUTPUTS) { return; }
  let job = job_of(index);
  partial[lane] = lane_sum(job, lane);
  for (var half = WG / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // uniform: every lane takes every turn
    if (lane < half) { partial[lane] += partial[lane + half]; }
  }
  if (lane == 0u) { y[job.sizes.w + job.channel] = partial[0]; }
}
