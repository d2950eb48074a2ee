import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { hasMemory64 } from "../../../backends/wasm/kernelModule.ts";
import { WasmBackend, type WasmOptions } from "../../../backends/wasm/mod.ts";
import { program } from "../../../core/graph/mod.ts";
import type { Backend, HostArray } from "../../../core/interfaces/backend.ts";
import { input } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { DType, Tensor } from "../../../core/tensor/tensor.ts";

/** An input of a case: its shape, and how its elements are made. */
export interface Given {
  readonly shape: readonly number[];
  readonly dtype?: DType;
  /** Element i; by default numbers from -2 to 2 without order. */
  readonly value?: (i: number) => number;
}

export const scattered = (i: number): number => Math.sin(i * 12.9898 + 1) * 2;

/** Everything beyond 4 GiB, where an address that is cut to 32 bits meets what lies elsewhere or nothing. */
export const far: WasmOptions = { memory64: true, first: 5 * 2 ** 30 };

/** Ways to run the backend that must all give the same bits. */
export const variants: readonly WasmOptions[] = [
  { threads: 2, relaxed: false, poison: true },
  { threads: 1, relaxed: false, poison: true },
  { shared: false, relaxed: false, poison: true },
];

/** The same with fused multiply-add: other bits than without, but the same among themselves. */
const fusedVariants: readonly WasmOptions[] = [
  { threads: 2, poison: true },
  ...(hasMemory64() ? [{ threads: 2, poison: true, ...far }] : []),
];

const open = new Map<string, Promise<WasmBackend>>();
/** A backend for these options, made once. */
export function backendOf(options: WasmOptions): Promise<WasmBackend> {
  const key = JSON.stringify(options);
  const known = open.get(key) ?? WasmBackend.open(options);
  open.set(key, known);
  return known;
}

async function outputsOn(
  backend: Backend,
  outputs: Record<string, Tensor>,
  data: Record<string, HostArray>,
): Promise<Record<string, HostArray>> {
  const memory = backend.createMemory();
  const executable = await backend.compile(program({ name: "case", outputs }), memory);
  await executable.run(data);
  const results: Record<string, HostArray> = {};
  for (const name of Object.keys(outputs)) results[name] = await executable.read(name);
  executable.dispose();
  memory.dispose();
  return results;
}

/** How far a result may be from the oracle: `tolerance · (scale + |expected|)`. */
export interface Tolerance {
  readonly tolerance?: number;
  readonly scale?: number;
}

/** Runs a graph on the reference and on every variant; results agree with the oracle, and bit for bit with each other. */
export async function agree(
  given: Record<string, Given>,
  build: (inputs: Record<string, Tensor>) => Tensor | Record<string, Tensor>,
  { tolerance = 2e-6, scale = 1 }: Tolerance = {},
): Promise<void> {
  const inputs: Record<string, Tensor> = {};
  const data: Record<string, HostArray> = {};
  Object.entries(given).forEach(([name, { shape, dtype = "f32", value = scattered }], at) => {
    inputs[name] = input(name, shape, dtype);
    const elements = Array.from({ length: sizeOf(shape) }, (_, i) => value(i + at * 1000));
    data[name] = dtype === "f32" ? Float32Array.from(elements) : Int32Array.from(elements);
  });
  const built = build(inputs);
  const outputs = "op" in built ? { y: built as Tensor } : (built as Record<string, Tensor>);
  const expected = await outputsOn(new ReferenceBackend(), outputs, data);
  for (const alike of [variants, fusedVariants]) {
    let first: Record<string, HostArray> | undefined;
    for (const options of alike) {
      const actual = await outputsOn(await backendOf(options), outputs, data);
      const label = JSON.stringify(options);
      if (first)
        for (const name of Object.keys(first))
          assert.equal(bits(actual[name]), bits(first[name]), `${name}: bits differ with ${label}`);
      first ??= actual;
      compare(actual, expected, label, tolerance, scale);
    }
  }
}

/** The bits of numbers, among which every NaN is itself. */
export const bits = (array: HostArray): Int32Array => new Int32Array(array.buffer, array.byteOffset, array.length);

function compare(
  actual: Record<string, HostArray>,
  expected: Record<string, HostArray>,
  label: string,
  tolerance: number,
  scale: number,
): void {
  for (const name of Object.keys(expected)) {
    const [have, want] = [actual[name], expected[name]];
    assert.is(have.length, want.length, `${name}: length`);
    for (let i = 0; i < want.length; i++) {
      if (Object.is(have[i], want[i]) || have[i] === want[i]) continue;
      const error = Math.abs(have[i] - want[i]) / (scale + Math.abs(want[i]));
      if (!(error <= tolerance))
        assert.unreachable(
          `${name}[${i}] is ${have[i]}, expected ${want[i]} (${error.toExponential(1)} off, ${label})`,
        );
    }
  }
}
