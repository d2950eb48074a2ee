import { bufferUsage, mapMode } from "./usage.ts";

/** Generous: a software adapter compiles and runs a small kernel in well under a second. */
const TIME_LIMIT_MS = 20_000;

/** What a kernel is bound to: contents, or, once, room for so many results in f32. */
export type TrialBinding =
  | { readonly storage: Float32Array<ArrayBuffer> }
  | { readonly uniform: Uint8Array<ArrayBuffer> }
  | { readonly results: number };

/** A small kernel, to see what a device makes of it. */
export interface KernelTrial {
  readonly label: string;
  readonly code: string;
  readonly constants?: Readonly<Record<string, number>>;
  /** In the order of its bindings, all of group 0. */
  readonly bindings: readonly TrialBinding[];
  readonly workgroups: number;
}

/**
 * Runs a kernel once, on a device that does nothing else meanwhile, and returns its results.
 * @throws Error when it is refused, when the device is lost, and when it takes too long
 */
export async function tryKernel(device: GPUDevice, trial: KernelTrial): Promise<Float32Array> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const say = () => reject(new Error(`it did not finish in ${TIME_LIMIT_MS / 1000} s`));
    timer = setTimeout(say, TIME_LIMIT_MS);
  });
  const lost = device.lost.then(({ message }): never => {
    throw new Error(`the device was lost, ${message || "the driver gave no reason"}`);
  });
  try {
    return await Promise.race([compute(device, trial), late, lost]);
  } finally {
    clearTimeout(timer);
  }
}

async function compute(device: GPUDevice, trial: KernelTrial): Promise<Float32Array> {
  device.pushErrorScope("validation");
  const running = encode(device, trial);
  // What was refused is known by the scope; what follows from that fails too, and says less.
  const failed = await running.then(
    () => undefined,
    (error: Error) => error,
  );
  const fault = await device.popErrorScope();
  if (fault ?? failed) throw new Error((fault ?? failed)!.message);
  const { buffers, staging } = await running;
  await staging.mapAsync(mapMode.READ);
  const results = new Float32Array(staging.getMappedRange().slice(0));
  staging.unmap();
  for (const buffer of [...buffers, staging]) buffer.destroy();
  return results;
}

async function encode(
  device: GPUDevice,
  { label, code, constants = {}, bindings, workgroups }: KernelTrial,
): Promise<{ buffers: GPUBuffer[]; staging: GPUBuffer }> {
  const module = device.createShaderModule({ label, code });
  const pipeline = await device.createComputePipelineAsync({
    label,
    layout: "auto",
    compute: { module, entryPoint: "main", constants: { ...constants } },
  });
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = bufferUsage;
  const buffers = bindings.map((bound) => {
    if ("results" in bound) return device.createBuffer({ label, size: 4 * bound.results, usage: STORAGE | COPY_SRC });
    const [data, usage] = "storage" in bound ? [bound.storage, STORAGE] : [bound.uniform, UNIFORM];
    const buffer = device.createBuffer({ label, size: data.byteLength, usage: usage | COPY_DST });
    device.queue.writeBuffer(buffer, 0, data);
    return buffer;
  });
  const results = buffers[bindings.findIndex((bound) => "results" in bound)];
  const staging = device.createBuffer({ label, size: results.size, usage: MAP_READ | COPY_DST });
  const group = device.createBindGroup({
    label,
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder({ label });
  const pass = encoder.beginComputePass({ label });
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(workgroups);
  pass.end();
  encoder.copyBufferToBuffer(results, 0, staging, 0, results.size);
  device.queue.submit([encoder.finish()]);
  return { buffers, staging };
}
