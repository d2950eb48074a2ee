import type { Argument, Lowering } from "../../../../backends/wasm/kernel.ts";
import { hasMemory64 } from "../../../../backends/wasm/kernelModule.ts";
import * as generated from "../../../../backends/wasm/kernels.generated.ts";
import * as generated64 from "../../../../backends/wasm/kernels64.generated.ts";
import { input } from "../../../../core/ops/sources.ts";
import { type Shape, sizeOf } from "../../../../core/tensor/shape.ts";
import type { Tensor } from "../../../../core/tensor/tensor.ts";
import { setFlags } from "../flags.ts";

/** A build of the kernels with one of its tile sets. */
interface Build {
  readonly module: WebAssembly.Module;
  readonly wide: 0 | 1;
  /** Whether its addresses have 64 bits. */
  readonly far?: boolean;
}
type Kernels = Record<string, (...args: (number | bigint)[]) => void>;

setFlags();

const compiled = (base64: string) => new WebAssembly.Module(Buffer.from(base64, "base64"));

/**
 * The builds of the kernels, each with one that must give the same bits. The second is absent where the engine has no relaxed
 * SIMD, that for 64-bit addresses where it has none of those.
 */
const modules: { readonly module: WebAssembly.Module; readonly far?: WebAssembly.Module }[] = [
  { module: compiled(generated.plain) },
  ...(WebAssembly.validate(Buffer.from(generated.relaxed, "base64"))
    ? [{ module: compiled(generated.relaxed), far: hasMemory64() ? compiled(generated64.relaxed) : undefined }]
    : []),
];

/** Where the tensors of a 64-bit build lie: beyond all that 32 bits can tell apart. */
const FAR = 5 * 2 ** 30;
let farMemory: WebAssembly.Memory | undefined;

/** A memory with so many pages from `FAR` on; always the same one, since each takes a large part of the address space. */
function farMemoryOf(pages: number): WebAssembly.Memory {
  type Grow = { grow(pages: bigint): void };
  const Far = WebAssembly.Memory as unknown as new (descriptor: unknown) => WebAssembly.Memory;
  farMemory ??= new Far({ initial: BigInt(FAR / 65536), maximum: 262144n, shared: true, address: "i64" });
  const missing = FAR / 65536 + pages - farMemory.buffer.byteLength / 65536;
  if (missing > 0) (farMemory as unknown as Grow).grow(BigInt(missing));
  return farMemory;
}

/** A way to cut `items` into calls, one own space each. */
type Cut = (items: number) => [start: number, end: number][];
const whole: Cut = (items) => [[0, items]];
/** Uneven, out of order, single items among them. */
const scattered: Cut = (items) => {
  const third = Math.ceil(items / 3);
  const parts: [number, number][] = [
    [third, items],
    [0, Math.min(1, third)],
    [Math.min(1, third), third],
  ];
  return parts.filter(([start, end]) => start < end);
};

/**
 * Runs the plan of a lowering on one thread: memory poisoned with NaN, tensors at odd addresses, with 64 elements
 * between them that must stay as they are.
 */
function run(build: Build, lowering: Lowering, node: Tensor, data: Float32Array[], cut: Cut) {
  const plan = lowering.plan(node);
  let bytes = 1024;
  const take = (elements: number, shift: number): number => {
    const address = bytes + shift;
    bytes = (address + elements * 4 + 256 + 63) & ~63;
    return address;
  };
  const tensors = new Map<Tensor, number>();
  node.inputs.forEach((tensor) => void tensors.set(tensor, take(sizeOf(tensor.shape), 4)));
  tensors.set(node, take(sizeOf(node.shape), 12));
  const temps = (plan.temps ?? []).map((elements) => take(elements, 0));
  const spaces = [0, 1, 2].map(() => take(plan.threadSpace ?? 0, 0));
  const pages = Math.ceil(bytes / 65536);
  const start = build.far ? FAR : 0;
  const memory = build.far
    ? farMemoryOf(pages)
    : new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  const elements = new Float32Array(memory.buffer, start, pages * 16384);
  elements.fill(Number.NaN);
  node.inputs.forEach((tensor, i) => void elements.set(data[i], tensors.get(tensor)! / 4));
  const kernels = new WebAssembly.Instance(build.module, { env: { memory, wide: build.wide } })
    .exports as unknown as Kernels;
  const pointer = (at: number) => (build.far ? BigInt(start + at) : at);
  const resolve = (argument: Argument, space: number): number | bigint => {
    if (typeof argument === "number") return argument;
    if ("f32" in argument) return argument.f32;
    if ("own" in argument) return pointer(spaces[space]);
    if ("temp" in argument) return pointer(temps[argument.temp] + argument.offset * 4);
    return pointer(tensors.get(argument.tensor)! + argument.offset * 4);
  };
  for (const { fn, args, items } of plan.calls)
    cut(items).forEach(([start, end], space) => {
      kernels[fn](start, end, ...args.map((argument) => resolve(argument, space)));
    });

  const outputAt = tensors.get(node)! / 4;
  // NaN again wherever writing was allowed: then all must be NaN.
  const result = elements.slice(outputAt, outputAt + sizeOf(node.shape));
  const clear = (address: number, size: number) => elements.fill(Number.NaN, address / 4, address / 4 + size);
  for (const [tensor, address] of tensors) clear(address, sizeOf(tensor.shape));
  temps.forEach((address, i) => void clear(address, plan.temps![i]));
  spaces.forEach((address) => void clear(address, plan.threadSpace ?? 0));
  const stray = elements.findIndex((value) => !Number.isNaN(value));
  if (stray >= 0) throw new Error(`${node.op.name} wrote outside of its tensors, at ${stray * 4}`);
  return result;
}

/** Values in [-1, 1), the same for the same seed. */
export function noise(elements: number, seed: number): Float32Array {
  let state = (seed * 2654435761) >>> 0 || 1;
  return Float32Array.from({ length: elements }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  });
}

let names = 0;
/** An input of a node under test. */
export const tensor = (...shape: Shape): Tensor => input(`x${names++}`, shape);

/**
 * Runs a node by its lowering, in every build, cut and tile set, and compares it with the oracle. `tolerance` is in units of the
 * largest value. Returns the largest error in those units.
 */
export function check(
  lowering: Lowering,
  node: Tensor,
  data = node.inputs.map((input, i) => noise(sizeOf(input.shape), i + 1)),
  tolerance = 4e-6,
): number {
  const expected = new Float64Array(sizeOf(node.shape));
  node.op.reference!(node, data, expected);
  // NaN is compared as such and says nothing about the size of the others.
  const sized = expected.filter((value) => !Number.isNaN(value));
  const largest = sized.reduce((top, value) => Math.max(top, Math.abs(value)), 1e-30);
  const label = `${node.op.name} of ${node.inputs.map((x) => `[${x.shape}]`)} ${JSON.stringify(node.attrs)}`;
  let worst = 0;
  for (const { module, far } of modules) {
    const actual = run({ module, wide: 0 }, lowering, node, data, whole);
    expected.forEach((value, i) => {
      if (Number.isNaN(value) && Number.isNaN(actual[i])) return;
      const error = Math.abs(actual[i] - value) / largest;
      if (!(error <= tolerance)) throw new Error(`${label}: element ${i} is ${actual[i]}, should be ${value}`);
      worst = Math.max(worst, error);
    });
    const bits = new Int32Array(actual.buffer);
    const same = (again: Float32Array, what: string) =>
      new Int32Array(again.buffer).forEach((value, i) => {
        if (value !== bits[i]) throw new Error(`${label}: element ${i} depends on the ${what}`);
      });
    same(run({ module, wide: 0 }, lowering, node, data, scattered), "cut");
    same(run({ module, wide: 1 }, lowering, node, data, scattered), "tile set");
    if (far)
      for (const wide of [0, 1] as const)
        same(run({ module: far, wide, far: true }, lowering, node, data, scattered), "width of addresses");
  }
  return worst;
}
