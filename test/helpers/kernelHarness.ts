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
import { uniform } from "./uniform.ts";

/** How far a device may be from the oracle: at most absolute + relative |y| + ofLargest max|y|. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
  readonly ofLargest: number;
}

/** Named tolerances, each with its reason. */
export const tolerances = {
  /** Kernels that only move bits, or compute integers. */
  exact: { absolute: 0, relative: 0, ofLargest: 0 },
  /** One to three roundings and WGSL's built-ins, each within a few units in the last place. */
  pointwise: { absolute: 1e-6, relative: 2e-6, ofLargest: 0 },
  /** exp, whose error WGSL lets grow with |x|, and divisions by it. */
  exponential: { absolute: 1e-6, relative: 1e-5, ofLargest: 0 },
  /** Sums in f32 of up to some thousand terms of mixed signs: the error follows the terms, not the result. */
  sum: { absolute: 1e-6, relative: 1e-6, ofLargest: 1e-5 },
  /** Examples of ops, of numbers around 1 and at most some dozen terms: the widest of those above together. */
  anyOp: { absolute: 1e-6, relative: 1e-5, ofLargest: 1e-5 },
  /** Kept in f16, 11 bits, once for every value in between: a device may round a last bit the other way, or not at all. */
  half: { absolute: 1e-6, relative: 2 ** -10, ofLargest: 2 ** -10 },
} as const satisfies Record<string, Tolerance>;

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

/** @throws naming the worst element, when one is beyond the tolerance. */
export function compare(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute, relative, ofLargest }: Tolerance,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${name}: ${actual.length} elements, should be ${expected.length}`);
  let largest = 0;
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  let worst = { excess: 0, at: -1, allowed: 0 };
  for (let i = 0; i < expected.length; i++) {
    if (Object.is(actual[i], expected[i]) || actual[i] === expected[i]) continue;
    const allowed = absolute + relative * Math.abs(expected[i]) + ofLargest * largest;
    const excess = Math.abs(actual[i] - expected[i]) / (allowed || Number.MIN_VALUE);
    // NaN on one side only is the worst of all.
    if (!(excess <= worst.excess)) worst = { excess: Number.isNaN(excess) ? Infinity : excess, at: i, allowed };
  }
  if (worst.excess > 1)
    throw new Error(
      `${name}[${worst.at}]: ${actual[worst.at]}, should be ${expected[worst.at]} within ${worst.allowed}`,
    );
}
