import { bufferUsage, mapMode } from "./usage.ts";

const GROUPS = 4;
const WG = 64;
/** Generous: a software adapter compiles and runs this in well under a second. */
const TIME_LIMIT_MS = 20_000;

/** out[i] = (i + 1/2)², handed over through workgroup memory: compiler, barrier, dispatch and read-back in one. */
const source = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> out: array<f32>;
var<workgroup> shared_tile: array<f32, ${WG}>;
@compute @workgroup_size(${WG})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32) {
  let x = f32(id.x) + 0.5;
  shared_tile[${WG - 1}u - lane] = x * x;
  workgroupBarrier();
  out[id.x] = shared_tile[${WG - 1}u - lane];
}`;

/** Runs a tiny kernel; says what is wrong with the device, or undefined when it computes as it should. */
export async function selfCheck(device: GPUDevice): Promise<string | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    const say = () => resolve(`a small kernel did not finish in ${TIME_LIMIT_MS / 1000} s`);
    timer = setTimeout(say, TIME_LIMIT_MS);
  });
  try {
    return await Promise.race([compute(device), late]);
  } catch (error) {
    return `a small kernel does not run: ${(error as Error).message}`;
  } finally {
    clearTimeout(timer);
  }
}

async function compute(device: GPUDevice): Promise<string | undefined> {
  device.pushErrorScope("validation");
  const label = "onestep/selfCheck";
  const module = device.createShaderModule({ label, code: source });
  const pipeline = await device.createComputePipelineAsync({
    label,
    layout: "auto",
    compute: { module, entryPoint: "main" },
  });
  const size = GROUPS * WG * 4;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = bufferUsage;
  const out = device.createBuffer({ label, size, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ label, size, usage: MAP_READ | COPY_DST });
  const group = device.createBindGroup({
    label,
    layout: pipeline.getBindGroupLayout(0),
    entries: [{ binding: 0, resource: { buffer: out } }],
  });
  const encoder = device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(GROUPS);
  pass.end();
  encoder.copyBufferToBuffer(out, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  const fault = await device.popErrorScope();
  if (fault) return `a small kernel is refused: ${fault.message}`;
  await staging.mapAsync(mapMode.READ);
  const values = new Float32Array(staging.getMappedRange().slice(0));
  staging.unmap();
  for (const buffer of [out, staging]) buffer.destroy();
  const wrong = values.findIndex((value, i) => value !== (i + 0.5) ** 2);
  if (wrong < 0) return undefined;
  return `it computes wrong values: (${wrong} + 1/2)² gave ${values[wrong]}`;
}
