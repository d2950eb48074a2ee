import { invariant } from "../../core/errors.ts";
import { isAligned, type Place, type Program, type Step } from "../../core/graph/mod.ts";
import { sizeOf } from "../../core/tensor/shape.ts";
import type { Storage } from "../../core/tensor/storage.ts";
import type { DType, Tensor } from "../../core/tensor/tensor.ts";
import type { DeviceTraits } from "./adapter/traits.ts";
import { batchesOf, type SumJob } from "./batches.ts";
import { DimsBlock } from "./dimsBlock.ts";
import { type BoundRange, type Dispatch, type DispatchList, rangeOf } from "./dispatch.ts";
import { type Chain, chainOf, copyChain, elementwisePasses } from "./elementwise/mod.ts";
import type { Lowering, Pass } from "./kernel.ts";
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
  #step = 0;

  constructor(program: Program, context: LoweringContext) {
    this.#program = program;
    this.#context = context;
    const { buffers } = program.plan;
    // On a device without f16, what could be kept in it is kept in f32.
    this.#temps = new Temps(
      context.traits.f16 ? buffers : buffers.map((spec) => ({ ...spec, storage: "f32" })),
    );
  }

  list(): DispatchList {
    const { name, plan } = this.#program;
    // A variant of sum that was asked for by name runs every sum.
    const batches = this.#context.variants?.sum
      ? plan.steps.map((step, index) => ({ index, steps: [step], jobs: [] }))
      : batchesOf(plan);
    for (const { index, steps, jobs } of batches) {
      this.#step = index;
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
    if (step.kind === "elementwise")
      this.#chain(
        chainOf(step, plan),
        "elementwise",
        step.nodes.map(({ op }) => op.name).join("+"),
      );
    else if (step.kind === "copy")
      this.#copy(step.from, step.to, step.elements, plan.buffers[step.to.buffer].dtype);
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
    const kept = tempStorages(passes, (bound) =>
      this.#storageAt(bound === "output" ? output : inputs[bound]),
    );
    const shared = temps.map((size, i) => {
      const storage = kept.get(`temp ${i}`) ?? "f32";
      return { place: this.#temps.take(size, "f32", storage), size };
    });

    const range = (name: number | "output" | `temp ${number}`, access: BoundRange["access"]) => {
      const { place, size } =
        name === "output"
          ? { place: output, size: elements }
          : typeof name === "number"
            ? { place: inputs[name], size: sizeOf(node.inputs[name].shape) }
            : shared[Number(name.slice("temp ".length))];
      return rangeOf(place, { elements: size, storage: this.#storageAt(place) }, access);
    };
    for (const pass of passes) {
      const kernel = library.get(pass.kernel);
      const storage = kernel.bindings.filter(({ access }) => access !== "uniform");
      const bound = pass.bind ?? [...node.inputs.keys(), "output" as const];
      invariant(
        bound.length === storage.length,
        `${pass.kernel} has ${storage.length} storage bindings, ${variant.name} of ${node.op.name} binds ${bound.length}`,
      );
      const bindings = bound.map((name, i) =>
        range(name, storage[i].access === "read" ? "read" : "read_write"),
      );
      checkAliases(pass, bindings);
      const { constants = {}, dims, workgroups } = pass;
      this.#add(node.op.name, variant.name, kernel, constants, bindings, dims, workgroups);
    }
    if (output !== target) this.#copy(output, target, elements, node.dtype);
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
      ...{ label, step: this.#step, op, variant, kernel, constants },
      ...{ bindings, dimsOffset, workgroups },
    });
  }
}

/** WebGPU refuses a buffer that is written under one binding and bound under another in the same dispatch. */
function checkAliases(pass: Pass, bindings: readonly BoundRange[]): void {
  for (const written of bindings.filter(({ access }) => access === "read_write"))
    for (const other of bindings)
      invariant(
        other === written || other.buffer !== written.buffer,
        `${pass.kernel} binds a buffer twice and writes it`,
      );
}
