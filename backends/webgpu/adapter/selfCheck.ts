import { tryKernel } from "./tryKernel.ts";

const GROUPS = 4;
const WG = 64;

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
  try {
    const values = await tryKernel(device, {
      label: "onestep/selfCheck",
      code: source,
      bindings: [{ results: GROUPS * WG }],
      workgroups: GROUPS,
    });
    const wrong = values.findIndex((value, i) => value !== (i + 0.5) ** 2);
    if (wrong < 0) return undefined;
    return `it computes wrong values: (${wrong} + 1/2)² gave ${values[wrong]}`;
  } catch (error) {
    return `a small kernel does not run: ${(error as Error).message}`;
  }
}
