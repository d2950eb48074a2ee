/**
 * Runs one op on a WebGPU device and on the reference backend, and compares. Scratch and outputs hold NaN before each run,
 * so an element that a kernel forgets is found out.
 */
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { type Dispatch, WebGpuBackend, type WebGpuOptions } from "../../backends/webgpu/mod.ts";
import { program } from "../../core/graph/mod.ts";
import type { HostArray } from "../../core/interfaces/backend.ts";
import { input } from "../../core/ops/mod.ts";
import { type DType, type Shape, sizeOf, type Tensor } from "../../core/tensor/mod.ts";
import { compare, type Tolerance } from "./tolerance.ts";
import { uniform } from "./uniform.ts";

export { compare, type Tolerance, tolerances } from "./tolerance.ts";

/** An input of a case. */
export interface HostTensor {
  readonly shape: Shape;
  readonly data: HostArray;
}

/** Numbers in [low, high), always the same for a seed. */
export function floats(shape: Shape, seed = 1, low = -1, high = 1): HostTensor {
  const next = uniform(seed);
  const data = Float32Array.from({ length: sizeOf(shape) }, () => low + (high - low) * next());
  return { shape, data };
}

/** Integers low…high-1, always the same for a seed. */
export function integers(shape: Shape, seed: number, low: number, high: number): HostTensor {
  const next = uniform(seed);
  const data = Int32Array.from({ length: sizeOf(shape) }, () => Math.floor(low + (high - low) * next()));
  return { shape, data };
}

/** What a check found. */
export interface KernelResult {
  readonly actual: HostArray;
  readonly expected: HostArray;
  /** What the device ran: which kernels in which variants. */
  readonly dispatches: readonly Dispatch[];
}

const backends = new Map<string, Promise<WebGpuBackend>>();
const reference = new ReferenceBackend();

/** The device of the tests, opened once for each set of options (plain data only) in a process; it says which. */
export function testBackend(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
  const key = JSON.stringify(options);
  let backend = backends.get(key);
  if (!backend) {
    // What was measured on this machine must not change what is tested.
    backend = WebGpuBackend.open({ debug: true, tune: "off", ...options }).then((opened) => {
      const brief = JSON.stringify(options, (name, value) => (name === "kernels" ? Object.keys(value) : value));
      console.log(`webgpu: ${opened.traits.name} (${opened.traits.type}) ${brief === "{}" ? "" : brief}`);
      return opened;
    });
    backends.set(key, backend);
  }
  return backend;
}

/** Closes what `testBackend` opened; for a suite's `after`. */
export async function closeTestBackends(): Promise<void> {
  const all = [...backends.values()];
  backends.clear();
  for (const backend of all) await (await backend).close();
}

/**
 * Builds a program of `build(...inputs)` and compares all its outputs with the reference.
 * @param name for the error message
 */
export async function checkKernel(
  name: string,
  build: (...inputs: Tensor[]) => Tensor | readonly Tensor[],
  inputs: readonly HostTensor[],
  tolerance: Tolerance,
  options: WebGpuOptions = {},
): Promise<KernelResult[]> {
  const device = await testBackend(options);
  const dtypeOf = (data: HostArray): DType => (data instanceof Int32Array ? "i32" : "f32");
  const nodes = inputs.map(({ shape, data }, i) => input(`x${i}`, shape, dtypeOf(data)));
  const built = build(...nodes);
  const results = Array.isArray(built) ? (built as Tensor[]) : [built as Tensor];
  const outputs = Object.fromEntries(results.map((tensor, i) => [`y${i}`, tensor]));
  const traced = program({ name, outputs });
  const data = Object.fromEntries(inputs.map((each, i) => [`x${i}`, each.data]));

  const oracle = await reference.compile(traced, reference.createMemory());
  await oracle.run(data);
  const memory = device.createMemory();
  const executable = await device.compile(traced, memory);
  try {
    await executable.run(data);
    const found: KernelResult[] = [];
    for (const output of Object.keys(outputs)) {
      const actual = await executable.read(output);
      const expected = await oracle.read(output);
      compare(`${name} ${output}`, actual, expected, tolerance);
      found.push({ actual, expected, dispatches: executable.dispatches });
    }
    return found;
  } finally {
    executable.dispose();
    memory.dispose();
  }
}
