// channelJobs: sums of several tensors x0 ... x6 over all axes but one, in one dispatch: which sum a workgroup makes, and of what.
//   x_i: [R0, C, R1], dims.JOBS[i] = (C, R0, R1, Y); C is 0 where there is no job
// `dims`, `WG` and the bindings are the kernel's own.

struct ChannelJob {
  number: u32,
  sizes: vec4u,
  channel: u32,
}

// The job of a workgroup, by the number of its channel over all jobs.
fn job_of(index: u32) -> ChannelJob {
  var c = index;
  var job = 0u;
  while (c >= dims.JOBS[job].x) {
    c -= dims.JOBS[job].x;
    job += 1u;
  }
  return ChannelJob(job, dims.JOBS[job], c);
}

fn term_of(job: u32, at: u32) -> f32 {
  switch (job) {
    case 0u: { return x0[at]; }
    case 1u: { return x1[at]; }
    case 2u: { return x2[at]; }
    case 3u: { return x3[at]; }
    case 4u: { return x4[at]; }
    case 5u: { return x5[at]; }
    default: { return x6[at]; }
  }
}

// What lane `lane` of WG adds up. Lanes share the longer of the two axes; the other is looped over by all.
fn lane_sum(job: ChannelJob, lane: u32) -> f32 {
  let sizes = job.sizes;
  let inner = sizes.z >= sizes.y;
  let count = select(sizes.y, sizes.z, inner);
  let rest = select(sizes.z, sizes.y, inner);
  let stride = select(sizes.x * sizes.z, 1u, inner);
  let leap = select(1u, sizes.x * sizes.z, inner);
  let start = job.channel * sizes.z;
  var total = 0.0;
  for (var j = 0u; j < rest; j++) {
    for (var i = lane; i < count; i += WG) {
      total += term_of(job.number, start + j * leap + i * stride);
    }
  }
  return total;
}
