import { failure, invariant } from "../../core/errors.ts";
import { rootOf } from "../../core/graph/mod.ts";
import type { BufferSpec, Place, Step } from "../../core/graph/plan.ts";
import type { Program } from "../../core/graph/program.ts";
import { formatShape, sizeOf } from "../../core/tensor/shape.ts";
import type { Tensor } from "../../core/tensor/tensor.ts";
import type { Dialect } from "./emit/body.ts";
import { ElementwiseEmitter } from "./emit/elementwise.ts";
import {
  type AddressType,
  addressConst,
  i32Const,
  type MemoryKind,
  ModuleWriter,
  type ValueType,
} from "./emit/module.ts";
import { floatBytes } from "./emit/opcodes.ts";
import { type Argument, type Call, grainOf, type KernelPlan } from "./kernel.ts";
import { lowerings } from "./kernels/mod.ts";
import type { Job } from "./threads/pool.ts";
import { bytesOf, KINDS, kindOf, wideningOf } from "./widening.ts";

/** A job with its name for the profiler and for error messages. */
export interface LabelledJob extends Job {
  readonly label: string;
  /** The step of the plan that it belongs to. */
  readonly at: number;
}

/** How each kernel step of a program runs. */
export type KernelPlans = ReadonlyMap<Tensor, KernelPlan>;

/** Asks the lowerings. @throws KernelError when an op has none, or E_DEVICE_LIMIT when a tensor is too large */
export function planKernels(program: Program): KernelPlans {
  const plans = new Map<Tensor, KernelPlan>();
  for (const step of program.plan.steps) {
    if (step.kind !== "kernel") continue;
    const lowering = lowerings.get(step.node.op.name);
    if (!lowering)
      throw failure(
        "E_KERNEL",
        `Cannot compile ${program.name}: the wasm backend has no kernel for ${step.node.op.name}`,
      );
    plans.set(step.node, lowering.plan(step.node));
  }
  checkSizes(program, plans);
  return plans;
}

/** Elements are counted in 32 bits, with a sign. */
const MAX_ELEMENTS = 2 ** 31 - 1;

/** @throws KernelError E_DEVICE_LIMIT when a tensor, a temporary or a thread's own space has more elements than code can count */
function checkSizes({ name, plan }: Program, plans: KernelPlans): void {
  const check = (elements: number, what: string) => {
    if (elements <= MAX_ELEMENTS) return;
    throw failure(
      "E_DEVICE_LIMIT",
      `Cannot compile ${name}: ${what} has ${elements} elements, kernels on wasm count to ${MAX_ELEMENTS}`,
    );
  };
  for (const { op, shape } of plan.places.keys()) check(sizeOf(shape), `${op.name} ${formatShape(shape)}`);
  for (const [{ op }, { temps = [], threadSpace = 0 }] of plans)
    for (const elements of [...temps, threadSpace]) check(elements, `a temporary of ${op.name}`);
}

/** Elements of temporaries that the largest step needs, widened operands included, and of space that a thread needs. */
export function spaceOf({ plan }: Program, plans: KernelPlans): { temps: number; own: number } {
  let [temps, own] = [0, 0];
  for (const step of plan.steps) {
    const kernel = step.kind === "kernel" ? plans.get(step.node) : undefined;
    temps = Math.max(temps, tempOffsets(kernel ?? NO_CALLS).size + wideningOf(step, kernel).size);
    own = Math.max(own, kernel?.threadSpace ?? 0);
  }
  return { temps, own };
}

const NO_CALLS: KernelPlan = { calls: [] };

/** Where temporaries start, in elements, each on a cache line of its own. */
function tempOffsets({ temps = [] }: KernelPlan): { offsets: number[]; size: number } {
  let size = 0;
  const offsets = temps.map((elements) => {
    const offset = size;
    size += Math.ceil(elements / 16) * 16;
    return offset;
  });
  return { offsets, size };
}

/** Addresses in the linear memory: of buffer number `i` of the plan, and of the temporaries. */
export interface Addresses {
  readonly buffers: readonly number[];
  readonly temps: number;
}

/**
 * Translates a planned program to one WebAssembly module: a function `(start, end)` for every fused elementwise step,
 * and for every kernel call one that passes the kernel its arguments, which are all constants.
 */
export function translate(
  program: Program,
  plans: KernelPlans,
  addresses: Addresses,
  options: Dialect & MemoryKind,
): { bytes: Uint8Array<ArrayBuffer>; jobs: LabelledJob[] } {
  const module = new ModuleWriter(options);
  const elementwise = new ElementwiseEmitter(module, options);
  const jobs: LabelledJob[] = [];
  let at = 0;

  const addressOf = (tensor: Tensor, elements = 0): number => {
    const { root, offset } = rootOf(tensor);
    const place = program.plan.places.get(root);
    invariant(place, `${root.op.name} has no place`);
    return addresses.buffers[place.buffer] + (place.offset + offset + elements) * bytesOf(root);
  };
  const { buffers } = program.plan;

  const addCall = (call: PlacedCall, label: string, plan = NO_CALLS, placeOf = addressOf): void => {
    const { offsets } = tempOffsets(plan);
    const types = call.args.map((arg) => typeOf(arg, options.addresses));
    const fn = module.importFunction("kernels", call.fn, {
      params: ["i32", "i32", ...types],
      results: [],
    });
    const pointer = (address: number) => addressConst(options.addresses, address);
    const push = (arg: Argument | Placed): number[] => {
      if (typeof arg === "number") return i32Const(arg);
      if ("f32" in arg) return [0x43, ...floatBytes(arg.f32)];
      if ("own" in arg) return [0x23, 0];
      if ("address" in arg) return pointer(arg.address);
      if ("temp" in arg) return pointer(addresses.temps + (offsets[arg.temp] + arg.offset) * 4);
      return pointer(placeOf(arg.tensor, arg.offset));
    };
    const step = module.addStep({ imported: fn }, call.args.flatMap(push));
    if (call.items > 0) jobs.push({ step, items: call.items, grain: call.grain, label, at });
  };

  const addWidening = (from: number, to: number, elements: number, kind: number): void => {
    const args = [{ address: from }, { address: to }, elements, kind];
    const call = { fn: "widenElements", args, items: Math.ceil(elements / 1024), grain: grainOf(200) };
    addCall(call, `widen [${elements}]`);
  };
  /** Widens what a step can't read as it is; returns where its operands are then. */
  const widenFor = (step: Step, plan = NO_CALLS): typeof addressOf => {
    const { places } = wideningOf(step, plan);
    const first = addresses.temps + tempOffsets(plan).size * 4;
    for (const [tensor, offset] of places)
      addWidening(addressOf(tensor), first + offset * 4, sizeOf(tensor.shape), kindOf(tensor));
    return (tensor, elements = 0) => {
      const offset = places.get(tensor);
      return offset === undefined ? addressOf(tensor, elements) : first + (offset + elements) * 4;
    };
  };

  const add = (step: Step): void => {
    if (step.kind === "kernel") {
      const { node } = step;
      if (sizeOf(node.shape) === 0) return;
      const plan = plans.get(node)!;
      const shapes = node.inputs.map(({ shape }) => formatShape(shape)).join(" ");
      const label = `${node.op.name} ${shapes}${plan.variant ? ` ${plan.variant}` : ""}`;
      const placeOf = widenFor(step, plan);
      for (const call of plan.calls)
        addCall(call, plan.calls.length > 1 ? `${label} ${call.fn}` : label, plan, placeOf);
    } else if (step.kind === "elementwise") {
      if (sizeOf(step.shape) === 0) return;
      const call = elementwise.emit(step, widenFor(step));
      const names = step.nodes.map((node) => node.op.name).join("+");
      jobs.push({ ...call, at, label: `${names} ${formatShape(step.shape)}` });
    } else if (step.elements > 0) {
      const at = ({ buffer, offset }: Place): Placed => ({
        address: addresses.buffers[buffer] + offset * (isHalf(buffers[buffer]) ? 2 : 4),
      });
      const source = buffers[step.from.buffer];
      if (isHalf(source)) {
        addWidening(at(step.from).address, at(step.to).address, step.elements, KINDS[source.storage]);
        return;
      }
      const args = [at(step.from), at(step.to)];
      const call = { fn: "copyElements", args, items: step.elements, grain: grainOf(0.4) };
      addCall(call, `copy [${step.elements}]`);
    }
  };
  program.plan.steps.forEach((step, i) => {
    at = i;
    add(step);
  });
  return { bytes: module.bytes(), jobs };
}

const isHalf = ({ kind, storage }: BufferSpec): boolean => kind === "state" && storage !== "f32";

/** An address that is known already. */
interface Placed {
  readonly address: number;
}
type PlacedCall = Omit<Call, "args"> & { readonly args: readonly (Argument | Placed)[] };

function typeOf(arg: Argument | Placed, addresses: AddressType): ValueType {
  if (typeof arg === "number") return "i32";
  return "f32" in arg ? "f32" : addresses;
}
