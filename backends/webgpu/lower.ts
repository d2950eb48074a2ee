import { invariant } from "../../core/errors.ts";
import { type ElementwiseStep, isAligned, type Place, type Program, type Step } from "../../core/graph/mod.ts";
import { sizeOf } from "../../core/tensor/shape.ts";
import type { Storage } from "../../core/tensor/storage.ts";
import type { DType, Tensor } from "../../core/tensor/tensor.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import { batchesOf, type SumJob } from "./batches.ts";
import { DimsBlock } from "./dimsBlock.ts";
import { type BoundRange, type Dispatch, type DispatchList, rangeOf } from "./dispatch.ts";
import { type Chain, chainOf, copyChain, elementwisePasses } from "./elementwise/mod.ts";
import { Epilogues, withEpilogue } from "./epilogue.ts";
import { keptOn } from "./halfStorage.ts";
import type { Bound, Lowering, Pass } from "./kernel.ts";
import type { KernelLibrary, KernelSource } from "./kernelSource.ts";
import { channelSumsPass, MOST_SUMS } from "./kernels/channelSums.ts";
import { tempStorages } from "./tempStorage.ts";
import { Temps } from "./temps.ts";
import { chooseVariant, type ForcedVariants } from "./variants.ts";

/** What lowering depends on besides the program. */
export interface LoweringContext {
  readonly traits: DeviceTraits;
  readonly library: KernelLibrary;
  readonly lowerings: readonly Lowering[];
  readonly variants?: ForcedVariants;
  /** The variant that was measured to be best for a node; undefined where none was. */
  readonly measured?: (node: Tensor) => string | undefined;
}

/** Turns a program's plan into dispatches. Allocates and compiles nothing. */
export const lower = (program: Program, context: LoweringContext): DispatchList =>
  new ProgramLowering(program, context).list();

class ProgramLowering {
  readonly #program: Program;
  readonly #context: LoweringContext;
  readonly #dispatches: Dispatch[] = [];
  readonly #dims = new DimsBlock();
  readonly #temps: Temps;
  readonly #epilogues: Epilogues;
  /** Elementwise steps that a kernel has done as its epilogue. */
  readonly #joined = new Set<Step>();
  #step = 0;
  /** What is lowered after the step at hand, where it is a single step. */
  #next: Step | undefined;

  constructor(program: Program, context: LoweringContext) {
    this.#program = program;
    this.#context = context;
    this.#epilogues = new Epilogues(program);
    const { buffers } = program.plan;
    // On a device without f16, what could be kept in it is kept in f32.
    this.#temps = new Temps(buffers.map((spec) => ({ ...spec, storage: keptOn(context.traits, spec.storage) })));
  }

  list(): DispatchList {
    const { name, plan } = this.#program;
    // A variant of sum that was asked for by name runs every sum.
    const batches = this.#context.variants?.sum
      ? plan.steps.map((step, index) => ({ index, steps: [step], jobs: [] }))
      : batchesOf(plan);
    for (const [place, { index, steps, jobs }] of batches.entries()) {
      this.#step = index;
      const after = batches[place + 1]?.steps;
      this.#next = after?.length === 1 ? after[0] : undefined;
      this.#temps.reset();
      if (steps.length === 1) this.#lowerStep(steps[0]);
      else this.#channelSums(jobs);
    }
    return {
      program: name,
      dispatches: this.#dispatches,
      buffers: this.#temps.buffers,
      dims: this.#dims.bytes(),
    };
  }

  #lowerStep(step: Step): void {
    const { plan } = this.#program;
    if (this.#joined.has(step)) return;
    if (step.kind === "elementwise")
      this.#chain(chainOf(step, plan), "elementwise", step.nodes.map(({ op }) => op.name).join("+"));
    else if (step.kind === "copy") this.#copy(step.from, step.to, step.elements, plan.buffers[step.to.buffer].dtype);
    else this.#kernel(step.node);
  }

  /** Several sums over channels into one buffer, in one dispatch. */
  #channelSums(jobs: readonly SumJob[]): void {
    const { traits, library } = this.#context;
    const begin = Math.min(...jobs.map(({ to }) => to.offset));
    const end = Math.max(...jobs.map(({ to, C }) => to.offset + C));
    const { kernel, dims, workgroups } = channelSumsPass(
      jobs.map(({ to, ...sum }) => ({ ...sum, at: to.offset - begin })),
      traits,
    );
    const range = (place: Place, elements: number, access: BoundRange["access"]) =>
      rangeOf(place, { elements, storage: this.#storageAt(place) }, access);
    const inputs = Array.from({ length: MOST_SUMS }, (_, i) => {
      const { from, C, R0, R1 } = jobs[Math.min(i, jobs.length - 1)];
      return range(from, C * R0 * R1, "read");
    });
    const target = { buffer: jobs[0].to.buffer, offset: begin };
    const output = range(target, end - begin, "read_write");
    this.#add("sum", "channels", library.get(kernel), {}, [...inputs, output], dims, workgroups);
  }

  #copy(from: Place, to: Place, elements: number, dtype: DType): void {
    let source = from;
    if (from.buffer === to.buffer && from.offset !== to.offset) {
      // One buffer can't be read and written under two offsets in one dispatch.
      source = this.#temps.take(elements, dtype, this.#storageAt(from));
      this.#chain(copyChain(from, source, elements, dtype), "copy", "copy");
    }
    this.#chain(copyChain(source, to, elements, dtype), "copy", "copy");
  }

  #chain(chain: Chain, op: string, variant: string): void {
    const { traits, library } = this.#context;
    for (const pass of elementwisePasses(chain, this.#temps.buffers, traits.maxBinding)) {
      const kernel = library.fromText(op, pass.code);
      this.#add(op, variant, kernel, {}, pass.bindings, pass.dims, pass.workgroups);
    }
  }

  #kernel(node: Tensor): void {
    if (sizeOf(node.shape) === 0) return;
    const { traits, library, lowerings, variants, measured } = this.#context;
    const { places } = this.#program.plan;
    const variant = chooseVariant(node, lowerings, traits, variants, measured?.(node));
    const { passes, temps = [] } = variant.plan(node, traits);
    const target = places.get(node);
    invariant(target, `${node.op.name} has no place`);
    // A kernel can only start writing at an aligned place; its result goes to any other by a copy.
    const elements = sizeOf(node.shape);
    const output = isAligned(target, this.#storageAt(target))
      ? target
      : this.#temps.take(elements, node.dtype, this.#storageAt(target));
    const inputs = node.inputs.map((input) => this.#bindable(input, output));
    const kept = tempStorages(passes, (bound) => this.#storageAt(typeof bound === "number" ? inputs[bound] : output));
    const shared: { readonly place: Place; readonly size: number }[] = [];
    // The largest first: steps whose order differs then share large ones, too.
    for (const i of [...temps.keys()].sort((a, b) => temps[b] - temps[a])) {
      const storage = kept.get(`temp ${i}`) ?? "f32";
      shared[i] = { place: this.#temps.take(temps[i], "f32", storage), size: temps[i] };
    }

    const outputFrom = (start: number) => ({
      place: { ...output, offset: output.offset + start },
      size: elements - start,
    });
    const range = (name: Bound, access: BoundRange["access"]) => {
      const [kind, number = "0"] = typeof name === "number" ? [] : name.split(" ");
      const { place, size } =
        typeof name === "number"
          ? { place: inputs[name], size: sizeOf(node.inputs[name].shape) }
          : kind === "output"
            ? outputFrom(Number(number))
            : shared[Number(number)];
      return rangeOf(place, { elements: size, storage: this.#storageAt(place) }, access);
    };
    const last = passes[passes.length - 1];
    const single = passes.every((pass) => pass === last || !writesOutput(pass, node));
    const canJoin = variant.epilogue && single && output === target;
    const epilogue = canJoin ? this.#epilogues.of(node, this.#next) : undefined;
    for (const pass of passes) {
      const kernel = library.get(pass.kernel, pass.matrices);
      const storage = kernel.bindings.filter(({ access }) => access !== "uniform");
      const bound = boundIn(pass, node);
      invariant(
        bound.length === storage.length,
        `${pass.kernel} has ${storage.length} storage bindings, ${variant.name} of ${node.op.name} binds ${bound.length}`,
      );
      const bindings = bound.map((name, i) => range(name, storage[i].access === "read" ? "read" : "read_write"));
      if (pass === last && epilogue && this.#join(epilogue, node, variant.name, pass, bindings)) return;
      checkAliases(pass, bindings);
      const { constants = {}, dims, workgroups } = pass;
      this.#add(node.op.name, variant.name, kernel, constants, bindings, dims, workgroups);
    }
    if (output !== target) this.#copy(output, target, elements, node.dtype);
  }

  /**
   * Adds the last pass of a node with the step behind it as its epilogue; false where that can't be: together they bind too
   * much, or the step writes what the pass reads.
   */
  #join(
    step: ElementwiseStep,
    node: Tensor,
    variant: string,
    { kernel, matrices, constants = {}, dims, workgroups }: Pass,
    bindings: readonly BoundRange[],
  ): boolean {
    const { library, traits } = this.#context;
    const chain = chainOf(step, this.#program.plan, node);
    const around = { buffers: this.#temps.buffers, maxBinding: traits.maxBinding };
    const joined = withEpilogue(library, library.get(kernel, matrices), chain, around);
    if (!joined) return false;
    const all = [...bindings.slice(0, -1), ...joined.bindings];
    if (all.length > traits.maxStorageBuffers || aliasOf(all)) return false;
    const allDims = { ...dims, ...joined.dims };
    this.#add(node.op.name, variant, joined.kernel, constants, all, allDims, workgroups);
    this.#joined.add(step);
    return true;
  }

  /** The input where a binding may start, and not in the buffer that is written: copied there if need be. */
  #bindable(input: Tensor, output: Place): Place {
    const place = this.#program.plan.places.get(input);
    invariant(place, `${input.op.name} has no place`);
    if (isAligned(place, this.#storageAt(place)) && place.buffer !== output.buffer) return place;
    const elements = sizeOf(input.shape);
    const copy = this.#temps.take(elements, input.dtype, this.#storageAt(place));
    this.#copy(place, copy, elements, input.dtype);
    return copy;
  }

  #storageAt({ buffer }: Place): Storage {
    return this.#temps.buffers[buffer].storage;
  }

  #add(
    op: string,
    variant: string,
    source: KernelSource,
    constants: Readonly<Record<string, number>>,
    bindings: readonly BoundRange[],
    dims: Pass["dims"],
    workgroups: Dispatch["workgroups"],
  ): void {
    if (workgroups.some((count) => count === 0)) return;
    const half = source.bindings.filter(
      (_, i) => bindings[i] && this.#temps.buffers[bindings[i].buffer].storage === "f16",
    );
    const kernel = this.#context.library.halved(
      source,
      half.map(({ name }) => name),
    );
    const dimsOffset = this.#dims.add(kernel, dims);
    const label = `${this.#program.name}/${op}/${kernel.name}#${this.#step}`;
    this.#dispatches.push({
      label,
      step: this.#step,
      op,
      variant,
      kernel,
      constants,
      bindings,
      dimsOffset,
      workgroups,
    });
  }
}

/** What a pass binds, in order. */
const boundIn = ({ bind }: Pass, { inputs }: Tensor): NonNullable<Pass["bind"]> =>
  bind ?? [...inputs.keys(), "output" as const];

const writesOutput = (pass: Pass, node: Tensor): boolean =>
  boundIn(pass, node).some((bound) => String(bound).startsWith("output"));

function checkAliases(pass: Pass, bindings: readonly BoundRange[]): void {
  invariant(!aliasOf(bindings), `${pass.kernel} binds a buffer twice and writes it`);
}

/** A binding of a buffer that another one writes: WebGPU refuses both in the same dispatch. */
const aliasOf = (bindings: readonly BoundRange[]): BoundRange | undefined =>
  bindings.find((one) =>
    bindings.some((other) => other !== one && other.buffer === one.buffer && other.access === "read_write"),
  );
