import * as ops from "../../core/ops/mod.ts";
import { sizeOf } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Argument, Lowering } from "./kernel.ts";
import { conv2d } from "./kernels/conv2d.ts";
import { matmul } from "./kernels/matmul.ts";
import type { LinearMemory } from "./linearMemory.ts";
import type { Trial } from "./tileRace.ts";

/** Times that a run computes everything: clocks of some engines tell no less than some microseconds. */
const REPEATS = 8;

type Kernels = Record<string, (...args: number[]) => void>;

/** A node's last call, its product, and where the result is. */
interface Product {
  readonly call: (kernels: Kernels) => void;
  readonly address: number;
  readonly elements: number;
}

/**
 * Runs tiles of six rows, so that the engine has one function of each set to optimise; results are those of tiles of six and
 * of four, of matrices and of planes. Takes memory of a backend until it is released.
 */
export function tileTrial(module: WebAssembly.Module, linear: LinearMemory): Trial & { release(): void } {
  const [narrow, wide] = [0, 1].map(
    (set) => new WebAssembly.Instance(module, { env: { memory: linear.memory, wide: set } }).exports as Kernels,
  );
  const blocks: number[] = [];
  const allocate = (elements: number): number => {
    const address = linear.allocate(elements * 4);
    blocks.push(address);
    return address;
  };
  const tensor = (...shape: number[]) => ops.input("x", shape);
  const product = (lowering: Lowering, node: Tensor) => productOf(lowering, node, linear, allocate, narrow);
  const timed = product(matmul, ops.matmul(tensor(12, 128), tensor(128, 64)));
  const compared = [
    timed,
    product(matmul, ops.matmul(tensor(10, 64), tensor(64, 40))),
    product(conv2d, ops.conv2d(tensor(1, 16, 4, 24), tensor(10, 16, 1, 1), {})),
  ];
  return {
    run(isWide) {
      for (let i = 0; i < REPEATS; i++) timed.call(isWide ? wide : narrow);
    },
    result(isWide) {
      const bits = compared.flatMap(({ call, address, elements }) => {
        linear.view(address, elements).fill(Number.NaN);
        call(isWide ? wide : narrow);
        return [...linear.view(address, elements, "i32")];
      });
      return Int32Array.from(bits);
    },
    release() {
      for (const address of blocks) linear.free(address);
    },
  };
}

/** Lays out a node in memory and makes all its calls but the last, which pack. */
function productOf(
  { plan }: Lowering,
  node: Tensor,
  linear: LinearMemory,
  allocate: (elements: number) => number,
  kernels: Kernels,
): Product {
  const { calls, temps = [], threadSpace = 0 } = plan(node);
  const addresses = new Map([...node.inputs, node].map((tensor) => [tensor, allocate(sizeOf(tensor.shape))]));
  const tempAt = temps.map(allocate);
  const own = allocate(threadSpace);
  for (const input of node.inputs) {
    const values = linear.view(addresses.get(input)!, sizeOf(input.shape));
    for (let i = 0; i < values.length; i++) values[i] = ((i * 7919) % 2003) / 1001 - 1;
  }
  const resolve = (argument: Argument): number => {
    if (typeof argument === "number") return argument;
    if ("f32" in argument) return argument.f32;
    if ("own" in argument) return own;
    if ("temp" in argument) return tempAt[argument.temp] + argument.offset * 4;
    return addresses.get(argument.tensor)! + argument.offset * 4;
  };
  const resolved = calls.map(({ fn, items, args }) => {
    const numbers = [0, items, ...args.map(resolve)];
    return (of: Kernels) => of[fn](...numbers);
  });
  for (const call of resolved.slice(0, -1)) call(kernels);
  return { call: resolved[resolved.length - 1], address: addresses.get(node)!, elements: sizeOf(node.shape) };
}
